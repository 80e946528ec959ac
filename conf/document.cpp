#include "conf/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "conf/utf8.hpp"

namespace ipop::conf {
namespace {

constexpr std::size_t kMostLevels = 16;

// Ends parsing from inside a callback.
struct Stop {
  Position at;
  std::string message;
};

// Where the lines of the text begin, to turn the parser's marks (line and byte, from 0) into
// positions and to look at the text behind them.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  // The rest of the line from a mark on.
  [[nodiscard]] std::string_view from(const YAML::Mark& mark) const {
    const std::string_view line = whole(mark.line);
    return line.substr(std::min(line.size(), static_cast<std::size_t>(std::max(0, mark.column))));
  }

  [[nodiscard]] std::string_view whole(int number) const {
    if (number < 0 || static_cast<std::size_t>(number) >= starts_.size()) return {};
    const std::string_view line = text_.substr(starts_[static_cast<std::size_t>(number)]);
    return line.substr(0, line.find('\n'));
  }

  [[nodiscard]] Position position(const YAML::Mark& mark) const {
    if (mark.line < 0) return {1, 1};
    const std::string_view line = whole(mark.line);
    const std::size_t bytes = line.size() - from(mark).size();
    return {mark.line + 1, 1 + static_cast<int>(count_characters(line.substr(0, bytes)))};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

// Whether a scalar that starts with a quotation mark ends before its line does. The parser takes
// the end of the file for the missing mark, and so hides the mistake far from where it was made.
bool closes_on_its_line(std::string_view from_quote) {
  const char quote = from_quote.front();
  for (std::size_t i = 1; i < from_quote.size(); ++i) {
    if (quote == '"' && from_quote[i] == '\\') {
      ++i;
    } else if (from_quote[i] == quote) {
      if (quote == '"' || i + 1 == from_quote.size() || from_quote[i + 1] != quote) return true;
      ++i;  // '' stands for one ' inside
    }
  }
  return false;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Lines& lines, ErrorList& errors) : lines_(lines), errors_(errors) {}

  [[nodiscard]] Node take_root() { return std::move(root_); }
  // The innermost list or map that is still open; for an end that never came.
  [[nodiscard]] std::optional<Position> innermost() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node.at;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Stop{lines_.position(mark), "only one document is read per file"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // An absent value carries the mark of whatever comes next: its key is the better place.
    const bool of_key = !open_.empty() && open_.back().pending_key;
    add({.at = of_key ? open_.back().pending_key->at : lines_.position(mark)});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    const Position at = lines_.position(mark);
    errors_.add(at, "aliases are not read here; write the value out");
    add({.kind = Node::Kind::kRefused, .at = at});
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    errors_.add(lines_.position(mark),
                "anchors are not read here; remove " + in_quotes("&" + name));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    const Position at = lines_.position(mark);
    const std::string_view written = lines_.from(mark);
    if (!written.empty() && (written.front() == '"' || written.front() == '\'') &&
        !closes_on_its_line(written)) {
      throw Stop{at, "the quotation mark that opens here is not closed on its line"};
    }
    check_tag(at, tag);
    // The text has none, but escapes inside quotation marks can spell them.
    if (first_bad_byte(value)) {
      errors_.add(at, "a control character, which has no place in a value");
      add({.kind = Node::Kind::kRefused, .at = at});
      return;
    }
    add({.kind = Node::Kind::kScalar, .at = at, .text = value});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(Node::Kind::kList, mark, tag);
  }
  void OnSequenceEnd() override { leave(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    enter(Node::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { leave(); }

 private:
  struct Open {
    Node node;
    std::optional<Node> pending_key;
    std::unordered_map<std::string, int> line_of_key;
  };

  void check_tag(Position at, const std::string& tag) {
    // "?" and "!" are the parser's own names for plain and quoted.
    if (tag.empty() || tag == "?" || tag == "!") return;
    errors_.add(at, "tags are not read here; remove the word that begins with !");
  }

  void enter(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    const Position at = lines_.position(mark);
    if (open_.size() == kMostLevels) {
      throw Stop{at, "nested more than " + std::to_string(kMostLevels) + " levels deep"};
    }
    check_tag(at, tag);
    open_.push_back({.node = {.kind = kind, .at = at}});
  }

  void leave() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.pending_key) {
      parent.pending_key = std::move(node);
    } else {
      add_entry(parent, *std::exchange(parent.pending_key, std::nullopt), std::move(node));
    }
  }

  void add_entry(Open& map, Node key, Node value) {
    if (key.kind == Node::Kind::kRefused) return;
    if (key.kind != Node::Kind::kScalar) {
      errors_.add(key.at, "a key must be a word");
      return;
    }
    const auto [first, fresh] = map.line_of_key.emplace(key.text, key.at.line);
    if (!fresh) {
      errors_.add(key.at, "key " + in_quotes(key.text) + " is given twice, first in line " +
                              std::to_string(first->second));
      return;
    }
    map.node.keys.push_back(std::move(key));
    map.node.items.push_back(std::move(value));
  }

  const Lines& lines_;
  ErrorList& errors_;
  std::vector<Open> open_;
  Node root_{.at = {1, 1}};
  int documents_ = 0;
};

// The parser's own words where they help, better ones where experience shows that they do not.
void add_syntax_error(const YAML::Exception& error, const Lines& lines, const TreeBuilder& tree,
                      ErrorList& errors) {
  const auto indented_with_tab = [&](int line) {
    const std::string_view text = lines.whole(line);
    return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
  };
  const bool never_closed =
      error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW;
  if (indented_with_tab(error.mark.line)) {
    errors.add({error.mark.line + 1, 1}, "indented with a tab; YAML wants spaces");
  } else if (never_closed && tree.innermost()) {
    errors.add(*tree.innermost(), "the bracket that opens here is not closed properly");
  } else if (error.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR) {
    errors.add(lines.position(error.mark), "aliases are not read here; quote a value with * in it");
  } else {
    errors.add(lines.position(error.mark), "not valid YAML: " + error.msg);
  }
}

bool check_characters(std::string_view text, ErrorList& errors) {
  const std::optional<BadByte> bad = first_bad_byte(text);
  if (!bad) return true;
  const std::string_view before = text.substr(0, bad->offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const Position at{1 + static_cast<int>(std::ranges::count(before, '\n')),
                    1 + static_cast<int>(count_characters(before.substr(line_start)))};
  errors.add(at, bad->control ? "a control character, which has no place in this file"
                              : "not UTF-8; save the file in that encoding");
  return false;
}

}  // namespace

const Node* Node::find(std::string_view key) const noexcept {
  if (kind != Kind::kMap) return nullptr;
  const auto found = std::ranges::find(keys, key, &Node::text);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

bool Node::is_empty() const noexcept {
  return kind == Kind::kNull || (kind != Kind::kRefused && text.empty() && items.empty());
}

std::optional<Node> parse_document(std::string_view text, ErrorList& errors) {
  if (text.size() > kMostBytes) {
    errors.add({}, "larger than 1 MiB, the most that a configuration may have");
    return std::nullopt;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (!check_characters(text, errors)) return std::nullopt;

  const Lines lines(text);
  TreeBuilder tree(lines, errors);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    // A second call, because only that shows what stands after the end of the first document.
    if (parser.HandleNextDocument(tree)) parser.HandleNextDocument(tree);
    return tree.take_root();
  } catch (const Stop& stop) {
    errors.add(stop.at, stop.message);
  } catch (const YAML::Exception& error) {
    add_syntax_error(error, lines, tree, errors);
  }
  return std::nullopt;
}

}  // namespace ipop::conf
