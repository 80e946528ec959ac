// The example is the manual: it loads, it states the defaults, and it names every key there is.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "conf/load.hpp"
#include "conf/reload.hpp"
#include "conf/schema.hpp"

namespace ipop::conf {
namespace {

std::string example() {
  std::ifstream file(EXAMPLE_YAML);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The part with the keys that work, or the part with those that do not yet.
std::string part(bool supported) {
  const std::string text = example();
  const std::size_t border = text.find("# ---- Not supported yet ----");
  EXPECT_NE(border, std::string::npos);
  return supported ? text.substr(0, border) : text.substr(border);
}

// Takes the settings into use that stand behind "#": lines that begin with "#" and a word, and the
// lines below them that are indented further.
std::string with_all_settings(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t hash = line.find_first_not_of(' ');
    if (hash != std::string::npos && line[hash] == '#') {
      const std::string rest = line.substr(hash + 1);
      const bool setting = !rest.empty() && rest[0] >= 'a' && rest[0] <= 'z';
      inside = setting || (inside && rest.starts_with("  "));
      if (inside) line.erase(hash, 1);
    } else {
      inside = false;
    }
    result += line + "\n";
  }
  return result;
}

const Node* find(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (node != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    if (node->kind == Node::Kind::kList) {
      const Node* found = nullptr;
      for (const Node& item : node->items) {
        if (found == nullptr) found = item.find(key);
      }
      node = found;
    } else {
      node = node->find(key);
    }
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return node;
}

TEST(Example, LoadsAsItStands) {
  const auto loaded = load_file(EXAMPLE_YAML);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->network.name, "ipop_tutorial_05_21_2013_your_name");
}

TEST(Example, StatesTheDefaults) {
  const auto loaded = load_file(EXAMPLE_YAML);
  ASSERT_TRUE(loaded);
  const auto defaults = load_text(
      "network: {name: ipop_tutorial_05_21_2013_your_name, address: 192.168.10.10/24}\n", "f");
  ASSERT_TRUE(defaults);
  const Changes changes = compare(*loaded, *defaults);
  EXPECT_TRUE(changes.none()) << (changes.live.empty() ? changes.need_restart : changes.live)[0];
}

TEST(Example, LoadsWithEverySettingInUse) {
  const auto loaded = load_text(with_all_settings(part(true)), "/nowhere/f");
  ASSERT_FALSE(loaded);  // only because the secret's file does not exist
  ASSERT_EQ(loaded.error().size(), 1u) << to_string(loaded.error());
  EXPECT_TRUE(loaded.error()[0].message.starts_with("network.secret_file: reading "))
      << to_string(loaded.error());
}

TEST(Example, NamesEveryKnownKey) {
  for (const bool supported : {true, false}) {
    ErrorList errors("f");
    const auto root = parse_document(with_all_settings(part(supported)), errors);
    ASSERT_TRUE(root) << to_string(errors.take());
    check_keys(*root, errors);
    EXPECT_TRUE(errors.empty()) << to_string(errors.take());
    for (const Key& key : known_keys()) {
      if (key.supported != supported) continue;
      EXPECT_NE(find(*root, key.path), nullptr) << key.path;
    }
  }
}

TEST(Example, FitsThePage) {
  std::istringstream lines(example());
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    EXPECT_LE(line.size(), 100u) << "line " << number;
    EXPECT_FALSE(line.ends_with(' ')) << "line " << number;
  }
  EXPECT_GT(number, 0);
}

}  // namespace
}  // namespace ipop::conf
