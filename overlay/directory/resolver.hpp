// Host names to endpoints, without holding up the overlay thread: each name is looked up by a
// thread of its own ("ipop-resolver"), which ends with its answer; the overlay thread collects
// answers with take(). Literal addresses are answered at once, without a thread. Keeps no cache.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "conf/config.hpp"

namespace ipop::overlay {

class Resolver {
 public:
  struct Answer {
    conf::HostPort asked;
    Result<std::vector<Endpoint>> endpoints;  // at most 16, not empty
  };
  // Blocks; called on the threads. The default asks the system (getaddrinfo).
  using Lookup = std::function<Result<std::vector<Endpoint>>(const conf::HostPort&)>;

  static constexpr std::size_t kMaxThreads = 4;

  explicit Resolver(Lookup lookup = ask_system);
  // Does not wait for threads still asking: they hold what they need, and end by themselves.
  ~Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // False if kMaxThreads names are being looked up already: ask again later.
  [[nodiscard]] bool start(const conf::HostPort& host);
  // The answers that came since the last call.
  [[nodiscard]] std::vector<Answer> take();
  // Whether an answer is still to be taken.
  [[nodiscard]] bool busy() const;

  [[nodiscard]] static Result<std::vector<Endpoint>> ask_system(const conf::HostPort& host);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ipop::overlay
