// The YAML text as a tree that remembers where everything stood. It accepts the part of YAML that a
// configuration needs: one document, no anchors, aliases or tags, no key twice, no control
// characters, 1 MiB, 16 levels. It knows nothing about keys and their meaning.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/error.hpp"

namespace ipop::conf {

struct Node {
  enum class Kind {
    kNull,  // nothing was written, or ~ or null
    kScalar,
    kList,
    kMap,
    kRefused,  // an error was reported for it already
  };

  Kind kind = Kind::kNull;
  Position at;
  std::string text;         // kScalar
  std::vector<Node> keys;   // kMap: scalars, in the order of the file
  std::vector<Node> items;  // kMap: the value of each key; kList: the items

  // The value of a key of a map, or nothing.
  [[nodiscard]] const Node* find(std::string_view key) const noexcept;
  // Nothing, "", [] or {}.
  [[nodiscard]] bool is_empty() const noexcept;
};

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

// The root of the tree. Nothing if the text cannot be read as YAML; errors that leave a tree to
// look at (a key given twice, an alias) are added and the tree is still returned.
[[nodiscard]] std::optional<Node> parse_document(std::string_view text, ErrorList& errors);

}  // namespace ipop::conf
