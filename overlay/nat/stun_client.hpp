// Asks STUN servers how our datagrams look from outside: all of them at once when they become
// known, again while they do not answer, and then often enough that a NAT keeps its mapping and
// that a new one is noticed. Overlay thread; time is passed in, random numbers are libsodium's.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "overlay/nat/stun_message.hpp"

namespace ipop::overlay::stun {

class Client {
 public:
  static constexpr std::size_t kMostServers = 8;
  static constexpr unsigned kTries = 5;  // 0.2, 0.4, 0.8, 1.6 s apart
  static constexpr Duration kFirstTimeout = std::chrono::milliseconds(200);
  // Below the 30 s after which the most impatient NATs forget (RFC 4787 §4.3 asks for two minutes).
  static constexpr Duration kRefresh = std::chrono::seconds(20);
  // Who never answers is asked ever more seldom: perhaps it is no STUN server.
  static constexpr Duration kLongestRest = std::chrono::minutes(5);

  using Send = std::function<void(const Endpoint& to, ByteView request)>;
  // A server said that our datagrams come from `mapped`.
  using OnMapped = std::function<void(const Endpoint& server, const Endpoint& mapped, Instant now)>;

  Client(Send send, OnMapped on_mapped)
      : send_(std::move(send)), on_mapped_(std::move(on_mapped)) {}

  // The first kMostServers count; those that stay are not asked anew.
  void set_servers(const std::vector<Endpoint>& servers, Instant now);
  // Asks all again at once: our addresses have changed.
  void restart(Instant now);
  void service(Instant now);
  // When service() has something to do; Instant::max() if never.
  [[nodiscard]] Instant deadline() const noexcept;
  // False if it answers none of our requests.
  // If it says something else than before, all others are asked at once: a NAT has changed its
  // mind.
  [[nodiscard]] bool on_response(const Endpoint& source, ByteView datagram, Instant now);

  struct ServerStatus {
    Endpoint server;
    bool answers = false;  // the last time that it was asked
    bool silent = false;   // asked more than once since it answered
    Endpoint mapped;       // what it said then
    Duration rtt{};
  };
  [[nodiscard]] std::vector<ServerStatus> servers() const;

 private:
  struct Query {
    Endpoint server;
    TransactionId id{};
    unsigned tries = 0;     // since the last answer, or since we gave up
    unsigned given_up = 0;  // times, since the last answer
    bool waiting = false;
    bool answered = false;
    Endpoint mapped;  // what it said last; port 0 = nothing
    Instant asked{};  // the last time
    Duration rtt{};   // since then
    Instant next{};
  };

  void ask(Query& query, Instant now);

  Send send_;
  OnMapped on_mapped_;
  std::vector<Query> queries_;
};

}  // namespace ipop::overlay::stun
