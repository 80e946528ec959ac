#include "conf/value.hpp"

#include <algorithm>

namespace ipop::conf {

std::string indexed(std::string_view name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

std::string Section::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Node* Section::find(std::string_view key) const {
  return map_ == nullptr ? nullptr : map_->find(key);
}

Section Section::section(std::string_view key) const {
  const Node* node = find(key);
  const Position at = node == nullptr ? at_ : std::ranges::find(map_->keys, key, &Node::text)->at;
  return {node, at, name_of(key), *errors_, *positions_};
}

std::vector<Section> Section::sections(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr || node->kind != Node::Kind::kList) return {};
  std::vector<Section> sections;
  for (const Node& item : node->items) {
    const std::string name = indexed(name_of(key), sections.size());
    sections.push_back({&item, item.at, name, *errors_, *positions_});
  }
  return sections;
}

void Section::require(std::string_view key) const {
  // What stands in the place of a map was reported by the schema; its keys are not missed as well.
  if (map_ != nullptr && map_->kind != Node::Kind::kMap && map_->kind != Node::Kind::kNull) return;
  const Node* node = find(key);
  if (node == nullptr || node->kind == Node::Kind::kNull) {
    errors_->add(at_, name_of(key) + " is required");
  }
}

void Section::refuse_empty_list(std::string_view key) const {
  const Node* node = find(key);
  if (node != nullptr && node->kind == Node::Kind::kList && node->items.empty()) {
    errors_->add(node->at, name_of(key) + " must not be empty");
  }
}

void Section::fail(std::string_view key, std::string_view message) const {
  const Node* node = find(key);
  errors_->add(node == nullptr ? at_ : node->at, name_of(key) + ": " + std::string(message));
}

const Node* Section::scalar(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr || node->kind == Node::Kind::kNull) return nullptr;
  return is_scalar(*node, name_of(key)) ? node : nullptr;
}

const Node* Section::items(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr || node->kind == Node::Kind::kNull || node->kind == Node::Kind::kRefused) {
    return nullptr;
  }
  if (node->kind == Node::Kind::kList) return node;
  errors_->add(node->at, name_of(key) + " must be a list, such as [one, two]");
  return nullptr;
}

bool Section::is_scalar(const Node& node, const std::string& name) const {
  switch (node.kind) {
    case Node::Kind::kScalar:
      return true;
    case Node::Kind::kNull:
      errors_->add(node.at, name + " has an empty item");
      return false;
    case Node::Kind::kList:
      errors_->add(node.at, name + " must be a single value, not a list");
      return false;
    case Node::Kind::kMap:
      errors_->add(node.at, name + " must be a single value, not a map of keys");
      return false;
    case Node::Kind::kRefused:
      return false;
  }
  return false;
}

}  // namespace ipop::conf
