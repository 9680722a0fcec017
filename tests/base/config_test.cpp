#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/config_tree.h"
#include "base/options.h"

namespace ernn {
namespace {

enum class Colour { red, green };
const std::vector<std::pair<Colour, const char*>>& enum_names(Colour) {
  static const std::vector<std::pair<Colour, const char*>> names = {{Colour::red, "red"},
                                                                    {Colour::green, "green"}};
  return names;
}

struct Inner {
  int count = 3;
  double rate = 0.1;
};
template <class Visitor>
void describe(Visitor& field, Inner& o) {
  field("count", o.count);
  field("rate", o.rate);
}

struct Outer {
  std::string name = "x";
  bool on = false;
  Colour colour = Colour::red;
  std::vector<Inner> inner;
  std::map<std::string, int> bits;
  std::optional<double> share;
};
template <class Visitor>
void describe(Visitor& field, Outer& o) {
  field("name", o.name);
  field("on", o.on);
  field("colour", o.colour);
  field("inner", o.inner);
  field("bits", o.bits);
  field("share", o.share);
}

std::string error_of(const std::string& yaml) {
  try {
    read_options<Outer>(ConfigNode::from_yaml_text(yaml, "test.yaml"));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Config, ReadsEveryKindOfField) {
  const auto o = read_options<Outer>(ConfigNode::from_yaml_text(
      "name: '12'\non: true\ncolour: green\ninner: [{count: 5}, {rate: 2e-3}]\nbits: {cell: 16}\n",
      "test.yaml"));
  EXPECT_EQ(o.name, "12");
  EXPECT_TRUE(o.on);
  EXPECT_EQ(o.colour, Colour::green);
  ASSERT_EQ(o.inner.size(), 2U);
  EXPECT_EQ(o.inner[0].count, 5);
  EXPECT_DOUBLE_EQ(o.inner[1].rate, 2e-3);
  EXPECT_EQ(o.bits.at("cell"), 16);
}

TEST(Config, UnknownKeyNamesPlaceAndNearestKey) {
  const std::string error = error_of("name: a\ncolor: red\n");
  EXPECT_THAT(error, testing::HasSubstr("test.yaml:2"));
  EXPECT_THAT(error, testing::HasSubstr("unknown key 'color'"));
  EXPECT_THAT(error, testing::HasSubstr("did you mean 'colour'"));
  EXPECT_THAT(error_of("inner: [{cuont: 1}]"),
              testing::HasSubstr("'inner.0.cuont'; did you mean 'count'"));
}

TEST(Config, WrongTypesNameFoundAndExpected) {
  EXPECT_THAT(error_of("on: maybe"), testing::HasSubstr("found 'maybe', expected true or false"));
  EXPECT_THAT(error_of("colour: blue"), testing::HasSubstr("expected one of red, green"));
  EXPECT_THAT(error_of("inner: 3"), testing::HasSubstr("expected a list"));
  EXPECT_THAT(error_of("inner: [{count: 1.5}]"), testing::HasSubstr("expected a whole number"));
  EXPECT_THAT(error_of("name: a\nname: b"), testing::HasSubstr("given twice"));
  EXPECT_THAT(error_of("name: ["), testing::HasSubstr("not valid YAML"));
}

TEST(Config, NumbersAreFinite) {
  for (const char* number : {"nan", "inf", "-inf", ".nan", ".inf"}) {
    EXPECT_EQ(error_of(std::string("inner: [{rate: ") + number + "}]"),
              std::string("test.yaml:1: inner.0.rate: found '") + number + "', expected a number");
  }
}

TEST(Config, NothingWhereAValueShouldBeNamesItsPlace) {
  EXPECT_EQ(error_of("on: true\nbits:\n  cell: ~\n"),
            "test.yaml:3: bits.cell: found nothing, expected a whole number");
  EXPECT_EQ(error_of("on: true\nbits:\n  cell:\n"),
            "test.yaml:3: bits.cell: found nothing, expected a whole number");
  EXPECT_THAT(error_of("name: a\ncolor: ~\n"), testing::HasSubstr("test.yaml:2: unknown key"));
  auto node = ConfigNode::from_yaml_text("name: a", "test.yaml");
  node.set("bits.cell=~");
  const auto json = ConfigNode::from_json({{"bits", {{"cell", nullptr}}}}, "model.json");
  for (const auto& [tree, place] : std::vector<std::pair<ConfigNode, std::string>>{
           {node, "--set bits.cell=~"}, {json, "model.json"}}) {
    try {
      read_options<Outer>(tree);
      FAIL() << place;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.what(), place + ": bits.cell: found nothing, expected a whole number");
    }
  }
}

TEST(Config, SetReplacesNestedValues) {
  auto node = ConfigNode::from_yaml_text("inner: [{count: 5}]\n", "test.yaml");
  node.set("inner.0.count=7");
  node.set("bits.cell=9");
  const auto o = read_options<Outer>(node);
  EXPECT_EQ(o.inner[0].count, 7);
  EXPECT_EQ(o.bits.at("cell"), 9);
  EXPECT_THROW(node.set("inner.4.count=7"), UsageError);
  EXPECT_THROW(node.set("inner"), UsageError);
}

TEST(Config, WrittenOptionsReadBackTheSame) {
  Outer o;
  o.name = "true";
  o.colour = Colour::green;
  o.inner = {{4, 1.0 / 3}};
  o.bits["cell"] = 12;
  const ConfigNode tree = write_options(o);
  for (const auto& again : {ConfigNode::from_yaml_text(tree.to_yaml(), "again"),
                            ConfigNode::from_json(tree.to_json(), "json")}) {
    const auto back = read_options<Outer>(again);
    EXPECT_EQ(back.name, "true");
    EXPECT_EQ(back.colour, Colour::green);
    EXPECT_EQ(back.inner.at(0).rate, 1.0 / 3);
    EXPECT_EQ(back.bits.at("cell"), 12);
  }
}

TEST(Config, OptionalFieldsMayBeAbsent) {
  EXPECT_FALSE(read_options<Outer>(ConfigNode::from_yaml_text("name: a", "test.yaml")).share);
  EXPECT_FALSE(read_options<Outer>(ConfigNode::from_yaml_text("share: null", "test.yaml")).share);
  EXPECT_EQ(read_options<Outer>(ConfigNode::from_yaml_text("share: 0", "test.yaml")).share, 0.0);
  EXPECT_THAT(error_of("share: much"), testing::HasSubstr("share: found 'much'"));
  Outer o;
  EXPECT_TRUE(write_options(o).to_json().at("share").is_null());
  o.share = 0.25;
  EXPECT_EQ(write_options(o).to_json().at("share"), 0.25);
}

}  // namespace
}  // namespace ernn
