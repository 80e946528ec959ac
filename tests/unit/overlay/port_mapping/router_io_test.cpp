// Routers on the loopback that hang, drip, flood and lie: what is asked of them ends in time.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <thread>

#include "overlay/port_mapping/http_exchange.hpp"
#include "overlay/port_mapping/nat_pmp.hpp"
#include "overlay/port_mapping/pcp.hpp"
#include "overlay/port_mapping/upnp.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

const IpAddress kLoopback = IpAddress::v4(0x7f000001);
const Route kRoute{kLoopback, kLoopback};

// A bound socket on the loopback and its port.
struct Bound {
  Fd socket;
  std::uint16_t port = 0;
};

Bound bind_loopback(int type) {
  Bound bound{Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)), 0};
  sockaddr_storage address{};
  auto length = static_cast<socklen_t>(Endpoint{kLoopback, 0}.to_sockaddr(address));
  EXPECT_EQ(::bind(bound.socket.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  length = sizeof address;
  ::getsockname(bound.socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  bound.port = Endpoint::from_sockaddr(address).port;
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(bound.socket.get(), 8), 0);
  }
  return bound;
}

Duration time_of(const std::function<void()>& work) {
  const Instant start = read_monotonic();
  work();
  return read_monotonic() - start;
}

// Serves one connection on a thread of its own.
class Server {
 public:
  explicit Server(std::function<void(int)> serve)
      : bound_(bind_loopback(SOCK_STREAM)), thread_([this, serve = std::move(serve)] {
          const Fd client(::accept4(bound_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
          if (client) serve(client.get());
        }) {}
  ~Server() {
    ::shutdown(bound_.socket.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] Endpoint endpoint() const { return {kLoopback, bound_.port}; }

 private:
  Bound bound_;
  std::thread thread_;
};

void send_text(int socket, std::string_view text) {
  (void)!::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
}

void wait_for_end(int socket) {
  std::array<char, 512> ignored;
  while (::recv(socket, ignored.data(), ignored.size(), 0) > 0) {
  }
}

TEST(HttpExchange, BringsTheAnswer) {
  const Server server([](int client) {
    send_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    wait_for_end(client);
  });
  const auto answer = http::exchange(server.endpoint(), "GET / HTTP/1.1\r\n\r\n", {5s, nullptr});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "ok");
}

TEST(HttpExchange, EndsInTimeWhereNothingIsSaid) {
  const Server server([](int client) { wait_for_end(client); });
  const Duration took = time_of([&] {
    EXPECT_FALSE(http::exchange(server.endpoint(), "GET / HTTP/1.1\r\n\r\n", {200ms, nullptr}));
  });
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 1s);
}

TEST(HttpExchange, EndsInTimeWhereTheAnswerDrips) {
  const Server server([](int client) {
    send_text(client, "HTTP/1.1 200 OK\r\n");
    pollfd end{.fd = client, .events = POLLRDHUP, .revents = 0};
    while (::poll(&end, 1, 10) == 0)
      send_text(client, "a");
  });
  const Duration took = time_of([&] {
    EXPECT_FALSE(http::exchange(server.endpoint(), "GET / HTTP/1.1\r\n\r\n", {300ms, nullptr}));
  });
  EXPECT_LT(took, 1s);
}

TEST(HttpExchange, EndsWhereTheAnswerHasNoEnd) {
  const Server server([](int client) {
    const std::string much(65536, 'a');
    std::string_view next = "HTTP/1.1 200 OK\r\n\r\n";
    while (::send(client, next.data(), next.size(), MSG_NOSIGNAL) > 0)
      next = much;
  });
  const Duration took = time_of([&] {
    EXPECT_FALSE(http::exchange(server.endpoint(), "GET / HTTP/1.1\r\n\r\n", {10s, nullptr}));
  });
  EXPECT_LT(took, 5s);
}

TEST(HttpExchange, EndsAtOnceWhenTheThreadIsToEnd) {
  StopSignal stop;
  const Server server([&](int client) {
    stop.raise();
    wait_for_end(client);
  });
  const Duration took = time_of([&] {
    EXPECT_FALSE(http::exchange(server.endpoint(), "GET / HTTP/1.1\r\n\r\n", {20s, &stop}));
  });
  EXPECT_LT(took, 5s);
}

TEST(HttpExchange, EndsAtOnceWhereNobodyListens) {
  const std::uint16_t port = bind_loopback(SOCK_STREAM).port;
  EXPECT_FALSE(http::exchange({kLoopback, port}, "GET / HTTP/1.1\r\n\r\n", {20s, nullptr}));
}

// A NAT-PMP router that answers each datagram with what `answer` makes of it.
class PmpRouter {
 public:
  using Answer = std::function<std::vector<std::uint8_t>(ByteView)>;
  explicit PmpRouter(Answer answer)
      : bound_(bind_loopback(SOCK_DGRAM)), thread_([this, answer = std::move(answer)] {
          std::array<std::uint8_t, 64> buffer;
          for (;;) {
            sockaddr_storage from{};
            socklen_t length = sizeof from;
            pollfd watched[2] = {{bound_.socket.get(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
            ::poll(watched, 2, -1);
            if (watched[1].revents != 0) return;
            const ssize_t got = ::recvfrom(bound_.socket.get(), buffer.data(), buffer.size(), 0,
                                           reinterpret_cast<sockaddr*>(&from), &length);
            const auto bytes = answer(ByteView(buffer.data(), static_cast<std::size_t>(got)));
            if (!bytes.empty())
              ::sendto(bound_.socket.get(), bytes.data(), bytes.size(), 0,
                       reinterpret_cast<sockaddr*>(&from), length);
          }
        }) {}
  ~PmpRouter() {
    stop_.raise();
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return bound_.port; }

 private:
  Bound bound_;
  StopSignal stop_;
  std::thread thread_;
};

TEST(NatPmp, MapsAtARouterThatAnswersAtTheSecondTry) {
  unsigned lost = 0;
  const PmpRouter router([&](ByteView asked) -> std::vector<std::uint8_t> {
    if (lost++ == 0) return {};
    if (asked.size() == 2) return {0, 128, 0, 0, 0, 0, 0, 9, 9, 0, 0, 2};
    return {0, 129, 0, 0, 0, 0, 0, 9, asked[4], asked[5], 0xee, 0x48, 0, 0, 0, 60};
  });
  const StopSignal stop;
  NatPmp protocol(stop, router.port());
  const auto grant = protocol.map({kRoute, 4545, 4545, 2h});
  ASSERT_TRUE(grant) << grant.error().why;
  EXPECT_EQ(grant->outside.to_string(), "9.0.0.2:61000");
  EXPECT_EQ(grant->life, 60s);
}

TEST(NatPmp, SaysThatItIsRefused) {
  const PmpRouter router([&](ByteView asked) -> std::vector<std::uint8_t> {
    if (asked.size() == 2) return {0, 128, 0, 0, 0, 0, 0, 9, 9, 0, 0, 2};
    return {0, 129, 0, 2, 0, 0, 0, 9};
  });
  const StopSignal stop;
  NatPmp protocol(stop, router.port());
  const auto grant = protocol.map({kRoute, 4545, 4545, 2h});
  ASSERT_FALSE(grant);
  EXPECT_EQ(grant.error().error, MapError::kRefused);
  EXPECT_EQ(grant.error().why, "the gateway refuses: not authorized");
}

TEST(NatPmp, NoticesARouterThatRestarted) {
  std::uint8_t epoch = 200;
  const PmpRouter router([&](ByteView asked) -> std::vector<std::uint8_t> {
    if (asked.size() == 2) return {0, 128, 0, 0, 0, 0, 0, epoch, 9, 0, 0, 2};
    return {0, 129, 0, 0, 0, 0, 0, epoch, asked[4], asked[5], 0x11, 0xc1, 0, 0, 0, 60};
  });
  const StopSignal stop;
  NatPmp protocol(stop, router.port());
  const MapRequest request{kRoute, 4545, 4545, 2h};
  ASSERT_TRUE(protocol.map(request));
  const auto kept = protocol.check(request);
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ((*kept)->to_string(), "9.0.0.2");
  epoch = 3;
  const auto lost = protocol.check(request);
  ASSERT_TRUE(lost);
  EXPECT_FALSE(*lost);
}

TEST(NatPmp, EndsInTimeWhereNothingUsefulIsSaid) {
  for (const std::vector<std::uint8_t>& answer :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(64, 0xff)}) {
    const PmpRouter router([&](ByteView) { return answer; });
    StopSignal stop;
    NatPmp protocol(stop, router.port());
    const MapRequest request{kRoute, 4545, 4545, 2h};
    EXPECT_LT(time_of([&] { protocol.unmap(request); }), MappingProtocol::kUnmapTime);
    EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), NatPmp::kPatience + 1s);
    stop.raise();
    EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), 200ms);
  }
}

TEST(NatPmp, EndsAtOnceWhereNobodyListens) {
  const std::uint16_t port = bind_loopback(SOCK_DGRAM).port;
  const StopSignal stop;
  NatPmp protocol(stop, port);
  EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map({kRoute, 4545, 4545, 2h})); }), 500ms);
}

// What a PCP router makes of a request: the same, granted for a minute at 9.0.0.2.
std::vector<std::uint8_t> pcp_grant(ByteView asked, std::uint8_t epoch) {
  std::vector<std::uint8_t> answer(asked.begin(), asked.end());
  answer[1] = 0x81;
  std::ranges::fill(std::span(answer).subspan(4, 20), std::uint8_t{0});
  answer[7] = 60;
  answer[11] = epoch;
  const IpAddress outside = IpAddress::v4(0x09000002);
  std::ranges::copy(outside.bytes(), answer.begin() + 44);
  return answer;
}

TEST(Pcp, MapsAtARouterThatAnswersAtTheSecondTry) {
  unsigned lost = 0;
  std::vector<std::uint8_t> nonces;
  const PmpRouter router([&](ByteView asked) -> std::vector<std::uint8_t> {
    nonces.insert(nonces.end(), asked.begin() + 24, asked.begin() + 36);
    if (lost++ == 0) return {};
    return pcp_grant(asked, 9);
  });
  const StopSignal stop;
  Pcp protocol(stop, router.port());
  const auto grant = protocol.map({kRoute, 4545, 61000, 2h});
  ASSERT_TRUE(grant) << grant.error().why;
  EXPECT_EQ(grant->outside.to_string(), "9.0.0.2:61000");
  EXPECT_EQ(grant->life, 60s);
  // A later run can prolong it, and give it back.
  Pcp later(stop, router.port());
  later.unmap({kRoute, 4545, 61000, 2h});
  ASSERT_EQ(nonces.size(), 36u);
  EXPECT_TRUE(std::equal(nonces.begin(), nonces.begin() + 12, nonces.begin() + 24));
}

TEST(Pcp, NoticesARouterThatRestartedOrGaveThePortToAnother) {
  std::uint8_t epoch = 200;
  std::uint8_t port = 0x48;
  const PmpRouter router([&](ByteView asked) {
    auto answer = pcp_grant(asked, epoch);
    answer[43] = port;
    return answer;
  });
  const StopSignal stop;
  Pcp protocol(stop, router.port());
  const MapRequest request{kRoute, 4545, 61000, 2h};
  ASSERT_TRUE(protocol.map(request));
  const auto kept = protocol.check(request);
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ((*kept)->to_string(), "9.0.0.2");
  port = 0x49;
  const auto other = protocol.check(request);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  port = 0x48;
  epoch = 3;
  const auto lost = protocol.check(request);
  ASSERT_TRUE(lost);
  EXPECT_FALSE(*lost);
}

TEST(Pcp, LeavesARouterThatSpeaksNatPmpAloneToThat) {
  const PmpRouter router(
      [](ByteView) -> std::vector<std::uint8_t> { return {0, 129, 0, 1, 0, 0, 0, 9}; });
  const StopSignal stop;
  Pcp protocol(stop, router.port());
  const Duration took = time_of([&] {
    const auto grant = protocol.map({kRoute, 4545, 4545, 2h});
    ASSERT_FALSE(grant);
    EXPECT_EQ(grant.error().error, MapError::kNoAnswer);
  });
  EXPECT_LT(took, 1s);
}

TEST(Pcp, SaysWhyItIsRefused) {
  std::uint8_t code = 0;
  const PmpRouter router([&](ByteView asked) {
    auto answer = pcp_grant(asked, 9);
    answer[3] = code;
    return answer;
  });
  const StopSignal stop;
  Pcp protocol(stop, router.port());
  const std::pair<std::uint8_t, MapError> cases[] = {
      {1, MapError::kNoAnswer}, {2, MapError::kRefused},  {4, MapError::kNoAnswer},
      {8, MapError::kRefused},  {11, MapError::kTaken},   {12, MapError::kRefused},
      {13, MapError::kRefused}, {255, MapError::kRefused}};
  for (const auto& [answer, error] : cases) {
    code = answer;
    const auto grant = protocol.map({kRoute, 4545, 4545, 2h});
    ASSERT_FALSE(grant);
    EXPECT_EQ(grant.error().error, error) << int(answer) << ": " << grant.error().why;
  }
}

TEST(Pcp, EndsInTimeWhereNothingUsefulIsSaid) {
  for (const std::vector<std::uint8_t>& answer :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>(64, 2)}) {
    const PmpRouter router([&](ByteView) { return answer; });
    StopSignal stop;
    Pcp protocol(stop, router.port());
    const MapRequest request{kRoute, 4545, 4545, 2h};
    EXPECT_LT(time_of([&] { protocol.unmap(request); }), MappingProtocol::kUnmapTime);
    EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), Pcp::kPatience + 1s);
    stop.raise();
    EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), 200ms);
  }
}

TEST(Upnp, EndsInTimeWhereNobodyAnswersTheSearch) {
  const Bound silent = bind_loopback(SOCK_DGRAM);
  StopSignal stop;
  Upnp protocol(stop, silent.port);
  const MapRequest request{kRoute, 4545, 4545, 1h};
  EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), Upnp::kSearchTime + 1s);
  stop.raise();
  EXPECT_LT(time_of([&] { EXPECT_FALSE(protocol.map(request)); }), 200ms);
}

}  // namespace
}  // namespace ipop::overlay
