#include <gtest/gtest.h>

#include "config/document.h"

namespace hive::config {
namespace {

struct ScalarCase {
  std::string_view text;
  Node::Kind kind;
  std::string_view as_text;
};

// Expected values were seen from docker CLI 20.10's own `stack deploy`.
TEST(PlainScalar, hasTheTypeThatDockerReads) {
  using Kind = Node::Kind;
  const ScalarCase cases[] = {
      {"0440", Kind::kInt, "288"},
      {"1.0", Kind::kFloat, "1"},
      {"1e3", Kind::kFloat, "1000"},
      {"12345678901234567890", Kind::kFloat, "12345678901234567890"},
      {"1_000", Kind::kInt, "1000"},
      {"0x1F", Kind::kInt, "31"},
      {"0b11", Kind::kInt, "3"},
      {"0o17", Kind::kInt, "15"},
      {"-017", Kind::kInt, "-15"},
      {"+5", Kind::kInt, "5"},
      {"09", Kind::kFloat, "9"},
      {".5", Kind::kFloat, "0.5"},
      {"5.", Kind::kFloat, "5"},
      {"0.00001", Kind::kFloat, "1e-05"},
      {"1e22", Kind::kFloat, "1e+22"},
      {"100000000000000000000000", Kind::kFloat, "1e+23"},
      {"-9223372036854775808", Kind::kInt, "-9223372036854775808"},
      {"yes", Kind::kBool, "true"},
      {"Off", Kind::kBool, "false"},
      {"y", Kind::kBool, "true"},
      {"TRUE", Kind::kBool, "true"},
      {"", Kind::kNull, ""},
      {"~", Kind::kNull, ""},
      {"Null", Kind::kNull, ""},
      {".inf", Kind::kFloat, "+Inf"},
      {"-.INF", Kind::kFloat, "-Inf"},
      {".nan", Kind::kFloat, "NaN"},
      {"yEs", Kind::kString, "yEs"},
      {"1:30", Kind::kString, "1:30"},
      {"2001-01-01", Kind::kString, "2001-01-01"},
      {"8080:80", Kind::kString, "8080:80"},
      {"0x", Kind::kString, "0x"},
      {"1e", Kind::kString, "1e"},
      {"-", Kind::kString, "-"},
      {".", Kind::kString, "."},
      {"1.2.3", Kind::kString, "1.2.3"},
      {"web", Kind::kString, "web"},
  };
  for (const auto& one : cases) {
    const Node node = plain_scalar(one.text, {});
    EXPECT_EQ(node.kind, one.kind) << one.text;
    EXPECT_EQ(scalar_text(node), one.as_text) << one.text;
  }
}

std::optional<Node> parse(const std::string& text, std::vector<Finding>* faults = nullptr) {
  const std::vector<SourceFile> sources{{"f.yml", text}};
  Findings findings(sources);
  auto node = parse_document(sources, 0, findings);
  if (faults != nullptr) *faults = findings.faults();
  return node;
}

TEST(Document, quotedAndBlockScalarsAreText) {
  const auto root = parse("a: \"1\"\nb: 'yes'\nc: |\n  12\nd: !!str 0440\ne: !!float 1\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->text, "1");
  EXPECT_TRUE(root->find("b")->is_string());
  EXPECT_EQ(root->find("c")->text, "12\n");
  EXPECT_EQ(root->find("d")->text, "0440");
  EXPECT_EQ(root->find("e")->kind, Node::Kind::kFloat);
}

TEST(Document, positionsAreWhereTheTextIs) {
  const auto root = parse("a:\n  b: [1, \"two\"]\n");
  ASSERT_TRUE(root);
  const Node& list = *root->find("a")->find("b");
  EXPECT_EQ(list.items[0].position, (Position{0, 2, 7}));
  EXPECT_EQ(list.items[1].position, (Position{0, 2, 10}));
  EXPECT_EQ(root->entries[0].position, (Position{0, 1, 1}));
}

TEST(Document, everyDuplicateAndOddKeyIsAFault) {
  std::vector<Finding> faults;
  parse("a: 1\nb: 2\na: 3\nc: {x: 1, x: 2}\n80: 1\non: 2\n? [q]\n: 1\n", &faults);
  ASSERT_EQ(faults.size(), 5U);
  EXPECT_EQ(faults[0].message, "key \"a\" is here twice");
  EXPECT_EQ(faults[0].hint, "first on line 1");
  EXPECT_EQ(faults[1].position, (Position{0, 4, 11}));
  EXPECT_EQ(faults[2].message, "a key must be a string, and \"80\" is an integer");
  EXPECT_EQ(faults[3].hint, "write \"on\"");
  EXPECT_EQ(faults[4].message, "a key must be a string, and this one is a list");
}

TEST(Document, mergesMapsAndListsOfMaps) {
  const auto root = parse(
      "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\n"
      "one:\n  <<: *x\n  b: 9\ntwo:\n  <<: [*x, *y]\n  d: 4\nthree:\n  <<: {q: 1}\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("one")->find("a")->integer, 1);
  EXPECT_EQ(root->find("one")->find("b")->integer, 9);
  EXPECT_EQ(root->find("two")->find("b")->integer, 1);
  EXPECT_EQ(root->find("two")->find("c")->integer, 2);
  EXPECT_EQ(root->find("three")->find("q")->integer, 1);
}

TEST(Document, refusesMergesAndAliasesThatMeanNothing) {
  std::vector<Finding> faults;
  parse("base: &base {a: 1}\nm:\n  <<: 5\nq: *bace\n", &faults);
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[1].message, "alias *bace names no anchor above it");
  EXPECT_EQ(faults[1].hint, "did you mean \"base\"?");
}

TEST(Document, aliasBombsAreBounded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  std::vector<Finding> faults;
  EXPECT_FALSE(parse(text, &faults));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_NE(faults[0].message.find("once its aliases are expanded"), std::string::npos);
}

TEST(Document, depthAndSizeAreBounded) {
  std::vector<Finding> faults;
  EXPECT_FALSE(parse(std::string(5000, '['), &faults));
  EXPECT_EQ(faults.size(), 1U);
  EXPECT_FALSE(parse("a: " + std::string(kMaxFileBytes, 'x'), &faults));
  EXPECT_EQ(faults.size(), 1U);
  EXPECT_FALSE(parse(std::string("a: \0b\n", 6), &faults));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].message, "the file holds a NUL byte: it is not text");
}

TEST(Document, syntaxErrorsAndTabsHaveAPlace) {
  std::vector<Finding> faults;
  EXPECT_FALSE(parse("a:\n  b: [1, 2\nc: 3\n", &faults));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].position.line, 3U);
  EXPECT_FALSE(parse("a:\n  b: {c: d e: f}\n", &faults));
  EXPECT_EQ(faults.at(0).position, (Position{0, 2, 13})) << "the second colon";
  EXPECT_FALSE(parse("a:\n  b: 1\n c: 2\nd: 3\n", &faults));
  EXPECT_EQ(faults.at(0).position, (Position{0, 3, 2}));
  EXPECT_FALSE(parse("a:\n  b: [1, 2\n\n", &faults));
  EXPECT_EQ(faults.at(0).position, (Position{0, 2, 11})) << "the end of the last line";
  EXPECT_FALSE(parse("a:\n\tb: 1\n", &faults));
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].position, (Position{0, 2, 1}));
  EXPECT_NE(faults[0].message.find("tab character"), std::string::npos);
}

TEST(Document, onlyOneDocumentAFile) {
  std::vector<Finding> faults;
  parse("a: 1\n---\nb: 2\n", &faults);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].message, "a second YAML document begins here");
}

}  // namespace
}  // namespace hive::config
