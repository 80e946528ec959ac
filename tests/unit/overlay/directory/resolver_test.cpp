#include "overlay/directory/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Answers in the order they came, as soon as there are `count`.
std::vector<Resolver::Answer> wait_for(Resolver& resolver, std::size_t count) {
  std::vector<Resolver::Answer> answers;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (answers.size() < count && std::chrono::steady_clock::now() < deadline) {
    for (auto& answer : resolver.take())
      answers.push_back(std::move(answer));
    std::this_thread::yield();
  }
  return answers;
}

TEST(Resolver, AnswersLiteralAddressesWithoutAsking) {
  Resolver resolver([](const conf::HostPort&) -> Result<std::vector<Endpoint>> {
    ADD_FAILURE() << "asked";
    return fail("");
  });
  ASSERT_TRUE(resolver.start({"192.0.2.1", 4545}));
  ASSERT_TRUE(resolver.start({"2001:db8::1", 1}));
  EXPECT_TRUE(resolver.busy());
  const auto answers = resolver.take();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].endpoints.value(), std::vector{Endpoint::parse("192.0.2.1:4545").value()});
  EXPECT_EQ(answers[1].endpoints.value(), std::vector{Endpoint::parse("[2001:db8::1]:1").value()});
  EXPECT_FALSE(resolver.busy());
}

TEST(Resolver, AsksTheSystemForNames) {
  Resolver resolver;
  ASSERT_TRUE(resolver.start({"localhost", 4222}));
  const auto answers = wait_for(resolver, 1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].asked.host, "localhost");
  ASSERT_TRUE(answers[0].endpoints) << answers[0].endpoints.error().message;
  for (const Endpoint& endpoint : *answers[0].endpoints) {
    EXPECT_TRUE(endpoint.address.is_loopback());
    EXPECT_EQ(endpoint.port, 4222);
  }
}

TEST(Resolver, SaysWhichNameItCannotResolve) {
  Resolver resolver;
  ASSERT_TRUE(resolver.start({"no such name", 1}));  // a space is in no host name
  const auto answers = wait_for(resolver, 1);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_FALSE(answers[0].endpoints);
  EXPECT_THAT(answers[0].endpoints.error().message, HasSubstr("cannot resolve no such name"));
}

TEST(Resolver, NeverBlocksAndRunsAFewThreadsOnly) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  Resolver resolver([released](const conf::HostPort& host) -> Result<std::vector<Endpoint>> {
    released.wait();
    return std::vector{Endpoint{IpAddress::v4(1), host.port}};
  });
  for (std::uint16_t i = 0; i < Resolver::kMaxThreads; ++i) {
    EXPECT_TRUE(resolver.start({"slow.example", i}));
  }
  EXPECT_FALSE(resolver.start({"slow.example", 99}));
  EXPECT_TRUE(resolver.start({"192.0.2.1", 1}));
  EXPECT_EQ(resolver.take().size(), 1u);
  EXPECT_TRUE(resolver.busy());
  release.set_value();
  EXPECT_EQ(wait_for(resolver, Resolver::kMaxThreads).size(), Resolver::kMaxThreads);
  EXPECT_FALSE(resolver.busy());
  EXPECT_TRUE(resolver.start({"slow.example", 99}));
  EXPECT_EQ(wait_for(resolver, 1).size(), 1u);
}

TEST(Resolver, MayGoAwayBeforeItsAnswers) {
  std::promise<void> release;
  std::promise<void> finished;
  {
    Resolver resolver([&](const conf::HostPort&) -> Result<std::vector<Endpoint>> {
      release.get_future().wait();
      finished.set_value();
      return fail("late");
    });
    ASSERT_TRUE(resolver.start({"slow.example", 1}));
  }
  release.set_value();
  EXPECT_EQ(finished.get_future().wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace ipop::overlay
