#include "tests/unit/engine/published_vectors.hpp"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/text.hpp"

namespace ipop::engine {
namespace {

std::vector<std::uint8_t> bytes_of_hex(const std::string& text) {
  auto bytes = from_hex(text);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return *std::move(bytes);
}

std::ifstream open_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

void append(std::vector<std::uint8_t>& to, const std::vector<std::uint8_t>& what) {
  to.insert(to.end(), what.begin(), what.end());
}

// "Key = 00ff", "[PTlen = 128]", "Tag =", "FAIL".
std::pair<std::string, std::string> field_of(std::string line) {
  std::erase_if(line, [](char c) { return c == ' ' || c == '[' || c == ']' || c == '\r'; });
  const std::size_t equals = line.find('=');
  if (equals == std::string::npos) return {line, {}};
  return {line.substr(0, equals), line.substr(equals + 1)};
}

}  // namespace

std::vector<PublishedVector> read_cavp(const std::string& path) {
  std::ifstream file = open_file(path);
  std::vector<PublishedVector> vectors;
  std::map<std::string, std::string> fields;
  const auto finish = [&] {
    if (!fields.contains("Count")) return;
    PublishedVector one{.name = "PTlen " + fields["PTlen"] + " Count " + fields["Count"],
                        .key = bytes_of_hex(fields.at("Key")),
                        .nonce = bytes_of_hex(fields.at("IV")),
                        .plain = bytes_of_hex(fields["PT"]),
                        .sealed = bytes_of_hex(fields.at("CT")),
                        .valid = !fields.contains("FAIL")};
    append(one.sealed, bytes_of_hex(fields.at("Tag")));
    vectors.push_back(std::move(one));
    for (const char* const name : {"Count", "PT", "FAIL"})
      fields.erase(name);
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const auto [name, value] = field_of(line);
    if (name.empty()) {
      finish();
    } else {
      fields[name] = value;
    }
  }
  finish();
  return vectors;
}

std::vector<PublishedVector> read_wycheproof(const std::string& path) {
  std::ifstream file = open_file(path);
  std::vector<PublishedVector> vectors;
  const auto document = nlohmann::json::parse(file);
  for (const auto& group : document.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      const auto bytes = [&test](const char* name) {
        return bytes_of_hex(test.at(name).get<std::string>());
      };
      PublishedVector one{.name = "tcId " + test.at("tcId").dump(),
                          .key = bytes("key"),
                          .nonce = bytes("iv"),
                          .plain = bytes("msg"),
                          .sealed = bytes("ct"),
                          .valid = test.at("result") != "invalid"};
      append(one.sealed, bytes("tag"));
      vectors.push_back(std::move(one));
    }
  }
  return vectors;
}

}  // namespace ipop::engine
