#include "overlay/control/request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ipop::overlay::control {
namespace {

TEST(ControlRequest, ReadsEveryCommand) {
  EXPECT_TRUE(std::holds_alternative<StatusRequest>(*parse_request(R"({"command":"status"})")));
  EXPECT_TRUE(std::holds_alternative<VersionRequest>(*parse_request(R"({"command":"version"})")));
  EXPECT_TRUE(std::holds_alternative<StopRequest>(*parse_request(R"({"command":"stop"})")));
  EXPECT_TRUE(std::holds_alternative<ReloadRequest>(*parse_request(R"({"command":"reload"})")));

  const auto peer = parse_request(R"({"command":"peer","who":"bob"})");
  ASSERT_TRUE(peer);
  EXPECT_EQ(std::get<PeerRequest>(*peer).who, "bob");

  const auto ping = parse_request(R"({"command":"ping","address":"192.168.10.20","count":7})");
  ASSERT_TRUE(ping);
  EXPECT_EQ(std::get<PingRequest>(*ping).address.to_string(), "192.168.10.20");
  EXPECT_EQ(std::get<PingRequest>(*ping).count, 7u);
}

TEST(ControlRequest, PingsFourTimesUnlessToldOtherwise) {
  const auto ping = parse_request(R"({"command":"ping","address":"fd00::1"})");
  ASSERT_TRUE(ping);
  EXPECT_EQ(std::get<PingRequest>(*ping).count, 4u);
}

TEST(ControlRequest, IgnoresKeysItDoesNotKnow) {
  EXPECT_TRUE(parse_request(R"({"command":"status","colour":true})"));
}

TEST(ControlRequest, SaysWhatIsWrong) {
  struct Case {
    const char* line;
    const char* message;
  };
  for (const Case& bad : {
           Case{"", "not JSON"},
           Case{"status", "not JSON"},
           Case{R"({"command":"status")", "not JSON"},
           Case{R"({"command":"status"}})", "not JSON"},
           Case{"{\"command\":\"\xff\xfe\"}", "not JSON"},
           Case{"[]", "not a JSON object"},
           Case{"7", "not a JSON object"},
           Case{"{}", "\"command\" is missing"},
           Case{R"({"command":7})", "\"command\" is missing or not a text"},
           Case{R"({"command":"Status"})", "not known"},
           Case{R"({"command":"peer"})", "\"who\" is missing"},
           Case{R"({"command":"peer","who":["bob"]})", "\"who\" is missing or not a text"},
           Case{R"({"command":"ping"})", "\"address\" is missing"},
           Case{R"({"command":"ping","address":"bob"})", "ping: "},
           Case{R"({"command":"ping","address":"10.0.0.1","count":0})", "1 to 10000"},
           Case{R"({"command":"ping","address":"10.0.0.1","count":-1})", "1 to 10000"},
           Case{R"({"command":"ping","address":"10.0.0.1","count":1.5})", "1 to 10000"},
           Case{R"({"command":"ping","address":"10.0.0.1","count":"4"})", "1 to 10000"},
           Case{R"({"command":"ping","address":"10.0.0.1","count":18446744073709551615})",
                "1 to 10000"},
       }) {
    const auto request = parse_request(bad.line);
    ASSERT_FALSE(request) << bad.line;
    EXPECT_NE(request.error().message.find(bad.message), std::string::npos)
        << bad.line << " gave: " << request.error().message;
  }
}

TEST(ControlRequest, SurvivesDeepNesting) {
  EXPECT_FALSE(parse_request(std::string(60'000, '[')));
  EXPECT_FALSE(parse_request(std::string(30'000, '[') + std::string(30'000, ']')));
}

}  // namespace
}  // namespace ipop::overlay::control
