#include "conf/document.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ipop::conf {
namespace {

// What parse_document says about a text: the errors, one per line, or "" if there is none.
std::string errors_of(std::string_view text) {
  ErrorList errors("f");
  const auto root = parse_document(text, errors);
  const std::string said = to_string(errors.take());
  EXPECT_TRUE(root || !said.empty()) << "refused without a reason: " << text;
  return said;
}

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes)
    text += unit;
  return text;
}

TEST(Document, RemembersWhereKeysAndValuesStood) {
  ErrorList errors("f");
  const auto root = parse_document("a: 1\nb: {c: [x, 'y']}\nempty:\nd: 2\n", errors);
  ASSERT_TRUE(root);
  ASSERT_TRUE(errors.empty());
  EXPECT_EQ(root->find("a")->text, "1");
  EXPECT_EQ(root->find("a")->at, (Position{1, 4}));
  const Node* list = root->find("b")->find("c");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->kind, Node::Kind::kList);
  EXPECT_EQ(list->items[1].text, "y");
  EXPECT_EQ(list->items[1].at, (Position{2, 12}));
  EXPECT_EQ(root->find("empty")->kind, Node::Kind::kNull);
  EXPECT_EQ(root->find("empty")->at, (Position{3, 1}));
  EXPECT_EQ(root->find("nothing"), nullptr);
}

TEST(Document, CountsColumnsInCharactersAndForgivesAByteOrderMark) {
  ErrorList errors("f");
  const auto root = parse_document("\xef\xbb\xbf\"näme\": {\"ö\": 1}\r\nb: 2\r\n", errors);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("näme")->at, (Position{1, 9}));
  EXPECT_EQ(root->find("näme")->find("ö")->at, (Position{1, 15}));
  EXPECT_EQ(root->find("b")->at, (Position{2, 4}));
}

TEST(Document, TakesAnEmptyTextForNothing) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~"}) {
    ErrorList errors("f");
    const auto root = parse_document(text, errors);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ(root->kind, Node::Kind::kNull) << text;
  }
}

TEST(Document, RefusesWhatAConfigurationDoesNotNeed) {
  const struct {
    const char* description;
    std::string text;
    const char* errors;
  } cases[] = {
      {"a key twice", "a: 1\nb: 2\na: 3\n", "f:3:1: key \"a\" is given twice, first in line 1\n"},
      {"a key twice in a map inside a list", "l: [{x: 1, x: 2}]\n",
       "f:1:12: key \"x\" is given twice, first in line 1\n"},
      {"an anchor and an alias", "a: &x 1\nb: *x\n",
       "f:1:4: anchors are not read here; remove \"&x\"\n"
       "f:2:4: aliases are not read here; write the value out\n"},
      {"an alias without an anchor", "a: *x\n",
       "f:1:4: aliases are not read here; quote a value with * in it\n"},
      {"a tag", "a: !!int 1\n",
       "f:1:4: tags are not read here; remove the word that begins with !\n"},
      {"a list as a key", "? [a]\n: b\n", "f:1:3: a key must be a word\n"},
      {"two documents", "a: 1\n---\nb: 2\n", "f:2:1: only one document is read per file\n"},
      {"something after the end", "{a: 1} b\n", "f:1:8: only one document is read per file\n"},
      {"a quotation mark that is not closed", "a: \"b\nc: \"d\"\n",
       "f:1:4: the quotation mark that opens here is not closed on its line\n"},
      {"a single one after a doubled one", "a: 'it''s\n",
       "f:1:4: the quotation mark that opens here is not closed on its line\n"},
      {"an escaped one", "a: \"b\\\"\n",
       "f:1:4: the quotation mark that opens here is not closed on its line\n"},
      {"a bracket that is not closed", "a: 1\nb: [1,\n  2\n",
       "f:2:4: the bracket that opens here is not closed properly\n"},
      {"a brace that is not closed", "a: {b: 1\n",
       "f:1:4: the bracket that opens here is not closed properly\n"},
      {"a tab before a nested key", "a:\n\tb: 1\n",
       "f:2:1: indented with a tab; YAML wants spaces\n"},
      {"a tab after spaces", "a:\n  b: 1\n \tc: 1\n",
       "f:3:1: indented with a tab; YAML wants spaces\n"},
      {"a value that goes on as a map", "a: 1\n  b: 2\n",
       "f:2:4: not valid YAML: illegal map value\n"},
      {"a character that begins no value", "a: @b\n", "f:1:4: not valid YAML: unknown token\n"},
      {"bytes that are not UTF-8", "a: 1\nb: x\xff\n",
       "f:2:5: not UTF-8; save the file in that encoding\n"},
      {"an overlong form", "a: \xc0\xaf\n", "f:1:4: not UTF-8; save the file in that encoding\n"},
      {"a surrogate", "a: \xed\xa0\x80\n", "f:1:4: not UTF-8; save the file in that encoding\n"},
      {"UTF-16",
       std::string("\xff\xfe"
                   "a\0:\0",
                   6),
       "f:1:1: not UTF-8; save the file in that encoding\n"},
      {"a null byte", std::string("a: \0b", 5),
       "f:1:4: a control character, which has no place in this file\n"},
      {"an escape sequence", "a: b\n# \x1b[2J\n",
       "f:2:3: a control character, which has no place in this file\n"},
      {"a control character beyond ASCII", "a: \xc2\x9b\n",
       "f:1:4: a control character, which has no place in this file\n"},
      {"a carriage return alone", "a: 1\rb: 2\n",
       "f:1:5: a control character, which has no place in this file\n"},
      {"a control character spelt as an escape", "a: \"x\\0y\"\n",
       "f:1:4: a control character, which has no place in a value\n"},
      {"deep lists", "a: " + std::string(100, '[') + std::string(100, ']'),
       "f:1:19: nested more than 16 levels deep\n"},
      {"deep lists in block form", repeated("- ", 4000),
       "f:1:33: nested more than 16 levels deep\n"},
      {"more than 1 MiB", std::string(kMostBytes + 1, '#'),
       "f: larger than 1 MiB, the most that a configuration may have\n"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(errors_of(test.text), test.errors) << test.description;
  }
}

TEST(Document, ExpandsNoAliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j)
      text += ", " + before;
    text += "]\n";
  }
  const std::string said = errors_of(text);
  EXPECT_NE(said.find("f:2:10: aliases are not read here"), std::string::npos) << said;
}

TEST(Document, ReadsMuchOfAnythingWithoutTrouble) {
  for (const char* unit :
       {"a: b\n", "- a\n", "[", "{", "[a,", "{a: ", "? ", "\"",   "'",          "&a ",  "*a ",
        "!",      "#",     ":", "|", "\n",  "[],",  "a,", "<<: ", "%TAG ! b\n", "---\n"}) {
    ErrorList errors("f");
    const auto root = parse_document(repeated(unit, kMostBytes / 16), errors);
    EXPECT_TRUE(root || !errors.empty()) << unit;
    EXPECT_LE(errors.take().size(), ErrorList::kMost + 1) << unit;
  }
}

TEST(ErrorList, SaysHowManyErrorsItLeftOut) {
  ErrorList errors("f");
  for (int i = 1; i <= 503; ++i)
    errors.add({i, 1}, "bad");
  const auto all = errors.take();
  ASSERT_EQ(all.size(), ErrorList::kMost + 1);
  EXPECT_EQ(all.back().to_string(), "f: 3 more errors are not shown");
  EXPECT_TRUE(errors.empty());
}

TEST(ErrorList, QuotesWithoutControlCharactersAndNotTooMuch) {
  EXPECT_EQ(in_quotes("a\nb"), "\"a?b\"");
  EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "…\"");
  EXPECT_EQ(in_quotes(std::string(59, 'x') + "éé"), "\"" + std::string(59, 'x') + "…\"");
}

}  // namespace
}  // namespace ipop::conf
