// An array whose memory comes page by page as it is touched: tables are sized for a large network,
// and a small node pays for what it uses. Elements are valid when all their bytes are zero. Made
// at start-up; addresses of elements never change, so lcores may read while one thread writes.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>

namespace ipop::engine {

template <typename T>
class LazyArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit LazyArray(std::size_t size) : size_(size) {
    void* const at = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    elements_ = static_cast<T*>(at);
  }
  ~LazyArray() { munmap(elements_, bytes()); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t index) noexcept { return elements_[index]; }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return elements_[index]; }

 private:
  [[nodiscard]] std::size_t bytes() const noexcept { return (size_ + 1) * sizeof(T); }

  std::size_t size_;
  T* elements_ = nullptr;
};

}  // namespace ipop::engine
