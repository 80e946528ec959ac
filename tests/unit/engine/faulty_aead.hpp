// An engine that works until it is told to do something wrong behind a burst.
#pragma once

#include <functional>

#include "engine/aead/sodium_aead.hpp"

namespace ipop::engine {

class FaultyAead final : public AeadEngine {
 public:
  using Fault = std::function<void(std::span<AeadJob>)>;

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override {
    sound_.expand(suite, raw, key);
  }
  void seal_burst(std::span<AeadJob> jobs) noexcept override {
    sound_.seal_burst(jobs);
    if (after_seal) after_seal(jobs);
  }
  void open_burst(std::span<AeadJob> jobs) noexcept override {
    sound_.open_burst(jobs);
    if (after_open) after_open(jobs);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return has; }

  Fault after_seal;
  Fault after_open;
  std::uint8_t has = SodiumAead().suites();

 private:
  SodiumAead sound_;
};

}  // namespace ipop::engine
