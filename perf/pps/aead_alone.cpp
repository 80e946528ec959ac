#include "perf/pps/aead_alone.hpp"

#include <stdexcept>

namespace ipop::perf {
namespace {

// Packets lie in buffers of their own, the segments of a train one behind another.
std::size_t stride_of(const Workload& workload) {
  return workload.supers ? workload.packet_size() + 32 : 2048;
}

}  // namespace

AeadAlone::AeadAlone(const Workload& workload)
    : workload_(workload),
      buffer_(workload.packets() * stride_of(workload) + 64),
      jobs_(workload.packets()),
      whose_(workload.packets()) {
  for (std::uint32_t i = 0; i < workload.peers; ++i) {
    const auto raw = Secret<32>::random();
    for (Keys* const keys : {&sealing_, &opening_}) {
      keys->push_back(std::make_unique<engine::AeadKey>());
      aead_->expand(workload.suite, raw, *keys->back());
    }
  }
}

void AeadAlone::run_batch() {
  for (std::uint32_t round = 0; round < workload_.rounds(); ++round) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      std::uint8_t* const at = &buffer_[i * stride_of(workload_) + 16];
      whose_[i] = random_() % workload_.peers;
      jobs_[i] = {.key = sealing_[whose_[i]].get(),
                  .in = at,
                  .out = at,
                  .length = workload_.packet_size(),
                  .counter = counter_++};
    }
    seal_.time(workload_.units(), [&] { aead_->seal_burst(jobs_); });
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      jobs_[i].key = opening_[whose_[i]].get();
    open_.time(workload_.units(), [&] { aead_->open_burst(jobs_); });
    for (const engine::AeadJob& job : jobs_) {
      if (!job.ok) throw std::runtime_error("the AEAD did not open what it sealed");
    }
  }
  seal_.end_batch();
  open_.end_batch();
}

}  // namespace ipop::perf
