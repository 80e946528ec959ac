// Reads values out of the tree: each reader puts a value where it belongs, or adds an error that
// names the key and says where, and the reading goes on. What a value may look like is told by the
// parser that is passed in (conf/field.hpp); which keys exist is the schema's matter.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/document.hpp"
#include "conf/error.hpp"

namespace ipop::conf {

// Where the values stood that were read without an error, by the full name of the key:
// "network.address", "overlay.peers[0].allowed_ips[1]". Rules over several fields look here, so
// that nothing is said about a value that was already refused.
using Positions = std::map<std::string, Position, std::less<>>;

// "overlay.peers", 2 -> "overlay.peers[2]".
[[nodiscard]] std::string indexed(std::string_view name, std::size_t index);

// One map of the file. Where it is absent, or where something else stands in its place, all of its
// keys are absent too.
class Section {
 public:
  Section(const Node& root, ErrorList& errors, Positions& positions)
      : Section(&root, root.at, "", errors, positions) {}

  [[nodiscard]] Section section(std::string_view key) const;
  // The maps of a list.
  [[nodiscard]] std::vector<Section> sections(std::string_view key) const;

  // `parse` takes the text and returns Result<something that can be assigned to `into`>. A key that
  // is absent or null leaves `into` as it is.
  template <typename T, typename Parse>
  void value(std::string_view key, T& into, Parse parse) const {
    if (const Node* node = scalar(key)) read(*node, name_of(key), into, parse);
  }

  // The same, for keys where "" means that nothing is set.
  template <typename T, typename Parse>
  void value_unless_empty(std::string_view key, T& into, Parse parse) const {
    const Node* node = scalar(key);
    if (node != nullptr && !node->text.empty()) read(*node, name_of(key), into, parse);
  }

  template <typename T, typename Parse>
  void list(std::string_view key, std::vector<T>& into, Parse parse) const {
    const Node* node = items(key);
    if (node == nullptr) return;
    const std::string name = name_of(key);
    std::vector<T> values;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = node->items[i];
      T value;
      if (!is_scalar(item, name) || !parse_into(item, indexed(name, i), value, parse)) continue;
      // By the place among the values, which differs from the one in the file after a bad item.
      positions_->insert_or_assign(indexed(name, values.size()), item.at);
      values.push_back(std::move(value));
    }
    positions_->insert_or_assign(name, node->at);
    into = std::move(values);
  }

  // A list, or a single value in the place of a list with one item.
  template <typename T, typename Parse>
  void value_or_list(std::string_view key, std::vector<T>& into, Parse parse) const {
    if (const Node* node = find(key); node != nullptr && node->kind == Node::Kind::kList) {
      list(key, into, parse);
      return;
    }
    T value;
    const Node* const node = scalar(key);
    if (node == nullptr || !parse_into(*node, name_of(key), value, parse)) return;
    positions_->insert_or_assign(name_of(key), node->at);
    into = {std::move(value)};
  }

  // An error unless something was written there, right or wrong.
  void require(std::string_view key) const;
  // An error if a list without items was written there.
  void refuse_empty_list(std::string_view key) const;
  void fail(std::string_view key, std::string_view message) const;

 private:
  Section(const Node* map, Position at, std::string path, ErrorList& errors, Positions& positions)
      : map_(map), at_(at), path_(std::move(path)), errors_(&errors), positions_(&positions) {}

  // The full name of one of its keys.
  [[nodiscard]] std::string name_of(std::string_view key) const;
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] const Node* scalar(std::string_view key) const;
  [[nodiscard]] const Node* items(std::string_view key) const;
  [[nodiscard]] bool is_scalar(const Node& node, const std::string& name) const;

  template <typename T, typename Parse>
  void read(const Node& node, const std::string& name, T& into, Parse& parse) const {
    if (parse_into(node, name, into, parse)) positions_->insert_or_assign(name, node.at);
  }

  template <typename T, typename Parse>
  bool parse_into(const Node& node, const std::string& name, T& into, Parse& parse) const {
    auto parsed = parse(std::string_view(node.text));
    if (!parsed) {
      errors_->add(node.at, name + ": " + parsed.error().message);
      return false;
    }
    into = std::move(*parsed);
    return true;
  }

  const Node* map_;  // nothing where it is absent
  Position at_;      // of its key, or of the map itself in a list
  std::string path_;
  ErrorList* errors_;
  Positions* positions_;
};

}  // namespace ipop::conf
