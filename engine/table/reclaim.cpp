#include "engine/table/reclaim.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace ipop::engine {

void Reclaimer::Free::operator()(rte_rcu_qsbr* at) const noexcept {
  std::free(at);
}

Reclaimer::Reclaimer(std::uint32_t max_lcores) {
  const std::size_t size = rte_rcu_qsbr_get_memsize(max_lcores);
  qsbr_.reset(static_cast<rte_rcu_qsbr*>(
      std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN(size, std::size_t{RTE_CACHE_LINE_SIZE}))));
  if (!qsbr_) throw std::bad_alloc();
  rte_rcu_qsbr_init(qsbr_.get(), max_lcores);
}

void Reclaimer::defer(std::move_only_function<void()> release) {
  deferred_.push_back({rte_rcu_qsbr_start(qsbr_.get()), std::move(release)});
}

void Reclaimer::run() {
  while (!deferred_.empty() && rte_rcu_qsbr_check(qsbr_.get(), deferred_.front().token, false)) {
    // Taken out first: a release may defer again.
    auto release = std::move(deferred_.front().release);
    deferred_.pop_front();
    release();
  }
}

void Reclaimer::finish() {
  while (!deferred_.empty()) {
    auto release = std::move(deferred_.front().release);
    deferred_.pop_front();
    release();
  }
}

}  // namespace ipop::engine
