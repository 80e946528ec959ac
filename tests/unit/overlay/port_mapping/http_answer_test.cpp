#include "overlay/port_mapping/http_answer.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::http {
namespace {

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\n";

struct Case {
  const char* what;
  std::string bytes;
  bool ended;
  Progress progress;
  std::string body;
};

TEST(HttpAnswer, IsReadAsFarAsItHasCome) {
  const std::string head(kHead);
  const Case cases[] = {
      {"nothing yet", "", false, Progress::kMore, ""},
      {"nothing at all", "", true, Progress::kBroken, ""},
      {"half a head", head + "Content-Le", false, Progress::kMore, ""},
      {"half a head for good", head + "Content-Le", true, Progress::kBroken, ""},
      {"a length", head + "content-LENGTH: 4\r\n\r\nbody", false, Progress::kWhole, "body"},
      {"more than its length", head + "Content-Length:4\r\n\r\nbodybody", false, Progress::kWhole,
       "body"},
      {"less than its length", head + "Content-Length: 5\r\n\r\nbody", false, Progress::kMore, ""},
      {"cut", head + "Content-Length: 5\r\n\r\nbody", true, Progress::kBroken, ""},
      {"no length", head + "\r\nbody", false, Progress::kMore, ""},
      {"no length, ended", head + "A: b\r\n\r\nbody", true, Progress::kWhole, "body"},
      {"bare line ends", "HTTP/1.0 200 OK\nContent-Length: 2\n\nok", false, Progress::kWhole, "ok"},
      {"chunks",
       head + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nA;x=y\r\n and more.\r\n0\r\n\r\n",
       false, Progress::kWhole, "body and more."},
      {"half a chunk", head + "Transfer-Encoding: chunked\r\n\r\n4\r\nbo", false, Progress::kMore,
       ""},
      {"a chunk of no size", head + "Transfer-Encoding: chunked\r\n\r\nx\r\n", false,
       Progress::kBroken, ""},
      {"a chunk beyond reason", head + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", false,
       Progress::kBroken, ""},
      {"a chunk that overflows", head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
       false, Progress::kBroken, ""},
      {"a chunk without its end", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", false,
       Progress::kBroken, ""},
      {"a length beyond reason", head + "Content-Length: 99999999\r\n\r\n", false,
       Progress::kBroken, ""},
      {"a length of no number", head + "Content-Length: -1\r\n\r\n", false, Progress::kBroken, ""},
      {"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", false, Progress::kBroken, ""},
      {"no status", "HTTP/1.1 OK\r\n\r\n", false, Progress::kBroken, ""},
  };
  for (const Case& each : cases) {
    Answer answer;
    EXPECT_EQ(parse_answer(each.bytes, each.ended, answer), each.progress) << each.what;
    EXPECT_EQ(answer.body, each.body) << each.what;
    EXPECT_EQ(answer.status, each.progress == Progress::kWhole ? 200u : 0u) << each.what;
  }
}

TEST(HttpAnswer, IsRefusedWhenItGrowsWithoutEnd) {
  Answer answer;
  EXPECT_EQ(parse_answer(std::string(kHead) + std::string(kLongestHead, 'a'), false, answer),
            Progress::kBroken);
  EXPECT_EQ(
      parse_answer(std::string(kHead) + "\r\n" + std::string(kLongestAnswer, 'a'), false, answer),
      Progress::kBroken);
}

TEST(HttpTarget, IsTheWayToADocument) {
  const auto is = [](std::string_view url, std::uint16_t port, std::string_view path) {
    const Target target = parse_target(url);
    EXPECT_EQ(target.port, port) << url;
    EXPECT_EQ(target.path, path) << url;
  };
  is("http://192.168.1.1:5000/rootDesc.xml", 5000, "/rootDesc.xml");
  is("http://192.168.1.1/a/b?c=d", 80, "/a/b?c=d");
  is("http://192.168.1.1:5000", 5000, "/");
  is("/ctl/IPConn", 0, "/ctl/IPConn");
  is("ctl", 0, "/ctl");
  is("", 0, "");
  is("https://192.168.1.1/", 0, "");
  is("http://192.168.1.1:0/", 0, "");
  is("http://192.168.1.1:70000/", 0, "");
  is("http://192.168.1.1:5/a HTTP/1.1\r\nHost: x", 0, "");
  is(std::string(1000, 'a'), 0, "");
}

}  // namespace
}  // namespace ipop::overlay::http
