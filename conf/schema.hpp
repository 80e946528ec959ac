// Which keys a configuration may have: those that work, and those of features that do not exist in
// this build, which are refused as soon as they ask for something. What their values may be is not
// known here, only where a map or a list of maps is expected.
#pragma once

#include <span>
#include <string_view>

#include "conf/document.hpp"
#include "conf/error.hpp"

namespace ipop::conf {

struct Key {
  enum class Shape { kValue, kSection, kListOfSections };

  std::string_view path;  // "overlay.peers.endpoint"
  Shape shape = Shape::kValue;
  bool supported = true;
  // Of a key that is not supported: the values, apart by spaces, that ask for nothing. Leaving it
  // empty always does.
  std::string_view off = "";
};

// In the order of the file; a section stands before its keys.
[[nodiscard]] std::span<const Key> known_keys() noexcept;

// Adds an error for each unknown key, for each section that is not a map, and for each key that
// asks for something not supported.
void check_keys(const Node& root, ErrorList& errors);

}  // namespace ipop::conf
