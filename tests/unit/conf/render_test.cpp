#include "conf/render.hpp"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

#include "conf/load.hpp"

namespace ipop::conf {
namespace {

InitialSettings settings(const std::string& network) {
  return {.network = network, .address = *Prefix::parse("192.168.10.10/24")};
}

Config load_back(const InitialSettings& from) {
  const std::string text = render_initial(from);
  const auto loaded = load_text(text, "f");
  EXPECT_TRUE(loaded) << text << to_string(loaded.error());
  return loaded ? *loaded : Config{};
}

TEST(Render, LeavesOutWhatWasNotSaid) {
  const std::string text = render_initial(settings("my_network"));
  for (const char* key : {"secret:", "hostname:", "overlay:", "listen:", "bootstrap:", "paths:"}) {
    EXPECT_EQ(text.find(key), std::string::npos) << key;
  }
  EXPECT_NE(text.find("name: \"my_network\"\n"), std::string::npos);
  EXPECT_NE(text.find("address: 192.168.10.10/24\n"), std::string::npos);
}

TEST(Render, LoadsBackToTheSameValues) {
  InitialSettings from = settings("n");
  from.secret = "open sesame";
  from.hostname = "alice";
  from.bootstrap = {"dht.example.org", "192.0.2.1:1", "[2001:db8::1]:2"};
  from.listen = {"127.0.0.1:0", "[::1]:0"};
  from.state = "/tmp/a \"state\" # 'dir'";
  from.runtime = "/tmp/run: dir";
  const Config config = load_back(from);
  EXPECT_EQ(config.network.secret, from.secret);
  EXPECT_EQ(config.network.address, from.address);
  EXPECT_EQ(config.network.hostname, from.hostname);
  const std::vector<HostPort> bootstrap = {
      {"dht.example.org", 4222}, {"192.0.2.1", 1}, {"2001:db8::1", 2}};
  EXPECT_EQ(config.overlay.bootstrap, bootstrap);
  ASSERT_EQ(config.overlay.listen.size(), 2u);
  EXPECT_EQ(config.overlay.listen[1].to_string(), "[::1]:0");
  EXPECT_EQ(config.paths.state, from.state);
  EXPECT_EQ(config.paths.runtime, from.runtime);
}

TEST(Render, KeepsAwkwardNamesAndSecrets) {
  for (const char* text : {"null",
                           "~",
                           "true",
                           "0x10",
                           "1e3",
                           "- a",
                           "a: b",
                           "a #b",
                           "#",
                           "\"",
                           "\"quoted\"",
                           "'",
                           "''",
                           "\\",
                           "\\n",
                           "\\\"",
                           "{",
                           "[a, b]",
                           "*a",
                           "&a",
                           "!tag",
                           "%d",
                           "@",
                           "`",
                           "|",
                           ">",
                           "? x",
                           " a ",
                           "---",
                           "...",
                           "<<",
                           "ключ",
                           "네트워크",
                           "naïve — “name”",
                           "🦉",
                           "\xef\xbb\xbf"
                           "bom",
                           "line\xe2\x80\xa8separator",
                           "a\xc2\xa0"
                           "b"}) {
    InitialSettings from = settings(text);
    from.secret = text;
    const Config config = load_back(from);
    EXPECT_EQ(config.network.name, text);
    EXPECT_EQ(config.network.secret, text);
  }
}

TEST(Render, KeepsRandomNames) {
  // Characters that mean something in YAML, and some of each length in UTF-8.
  const std::vector<std::string> alphabet = {
      "\"", "'", "\\", ":", " ", "#", "-", "?",        "{",  "}", "[",
      "]",  ",", "&",  "*", "!", "|", ">", "%",        "@",  "`", "a",
      "n",  "0", "x",  "~", "=", "<", "é", "\xc2\x85", "漢", "😀", "\xef\xbf\xbd"};
  std::mt19937 random(20130521);
  for (int round = 0; round < 500; ++round) {
    std::string name;
    const std::size_t length = 1 + random() % 30;
    for (std::size_t i = 0; i < length; ++i)
      name += alphabet[random() % alphabet.size()];
    if (name.find("\xc2\x85") != std::string::npos) {  // a control character, of two bytes
      EXPECT_THROW((void)render_initial(settings(name)), std::runtime_error) << name;
    } else {
      EXPECT_EQ(load_back(settings(name)).network.name, name);
    }
  }
}

TEST(Render, RefusesWhatCouldNotBeLoaded) {
  InitialSettings bad_host = settings("n");
  bad_host.hostname = "a b";
  InitialSettings bad_listen = settings("n");
  bad_listen.listen = {"nowhere"};
  InitialSettings bad_address = settings("n");
  bad_address.address = *Prefix::parse("192.168.10.255/24");
  InitialSettings bad_path = settings("n");
  bad_path.state = "lib";
  for (const InitialSettings& bad :
       {settings(""), settings("two\nlines"), settings("\t"), settings(std::string("a\0b", 3)),
        settings("\xff"), settings(std::string(129, 'n')), bad_host, bad_listen, bad_address,
        bad_path}) {
    EXPECT_THROW((void)render_initial(bad), std::runtime_error);
  }
  try {
    (void)render_initial(bad_address);
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "network.address: \"192.168.10.255/24\" is the broadcast address of its subnet, "
                 "not a host's");
  }
}

}  // namespace
}  // namespace ipop::conf
