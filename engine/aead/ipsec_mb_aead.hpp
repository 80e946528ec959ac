// The AEAD by intel-ipsec-mb: AES-256-GCM by its direct call, ChaCha20-Poly1305 by its burst of
// jobs. Used by the thread that owns it; allocates at construction alone. x86 with AES and
// carry-less multiply (the library does not start without them).
#pragma once

#ifndef NO_COMPAT_IMB_API_053
#define NO_COMPAT_IMB_API_053  // keeps macros like GCM and CBC away
#endif
#include <intel-ipsec-mb.h>

#include <array>

#include "engine/aead/aead.hpp"

namespace ipop::engine {

class IpsecMbAead : public AeadEngine {
 public:
  // `flags` are those of alloc_mb_mgr(). Throws std::runtime_error if the library does not start
  // on this processor, or without what the flags switch off.
  explicit IpsecMbAead(std::uint64_t flags = 0);
  ~IpsecMbAead() override;

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override;
  void seal_burst(std::span<AeadJob> jobs) noexcept override;
  void open_burst(std::span<AeadJob> jobs) noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return suites_; }

 protected:
  // What a test changes, to see the library fail or hold jobs back.
  [[nodiscard]] IMB_MGR& library() noexcept { return *mb_; }

 private:
  // Jobs that go to the library at a time; it takes at most IMB_MAX_BURST_SIZE.
  static constexpr std::size_t kBatch = 32;

  // What a job of the library points to until it is done.
  struct alignas(16) Slot {
    std::array<std::uint8_t, 16> nonce{};
    std::array<std::uint8_t, kTagSize> tag{};
  };
  struct Free {
    void operator()(IMB_MGR* mb) const noexcept { free_mb_mgr(mb); }
  };

  void seal_gcm(AeadJob& job) noexcept;
  void open_gcm(AeadJob& job) noexcept;
  template <IMB_CIPHER_DIRECTION kDirection>
  void run_chacha(std::span<AeadJob* const> batch) noexcept;
  template <IMB_CIPHER_DIRECTION kDirection>
  void run_burst(std::span<AeadJob> jobs) noexcept;

  std::unique_ptr<IMB_MGR, Free> mb_;
  gcm_context_data gcm_context_{};
  std::array<Slot, kBatch> slots_{};
  std::string_view name_;
  std::uint8_t suites_ = 0;
};

}  // namespace ipop::engine
