// SPDX-License-Identifier: Apache-2.0
#include "json_report.hpp"
#include "svg_chart.hpp"
#include "table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

using testing::HasSubstr;
using testing::Not;

Report example() {
  Report report;
  report.scenario = "http";
  report.title = "an example";
  report.columns = {{"requests_per_second", "requests/s", 0, 0},
                    {"cpu_ratio", "x reference", 3, 0},
                    {"steals", "steals", 2, 1}};
  report.plotted = "cpu_ratio";
  report.expected = "this";
  report.seen = "that";
  report.notes = {"a <note> & more"};
  report.rows.push_back({.strategy = "rearm-thread", .threads = 1});
  report.rows[0].figures = {{"requests_per_second", {12345.6}}, {"cpu_ratio", {1.0}}};
  report.rows.push_back(
      {.strategy = "lifetime", .variant = "read <to> EAGAIN", .threads = 2, .labels = {"shared"}});
  report.rows[1].figures = {{"cpu_ratio", {0.8123, 0.7, 0.9}}, {"steals", {0.25}}};
  report.rows.push_back({.strategy = "broadcast", .threads = 4, .not_available = "no such \"thing\""});
  return report;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& word) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(word) != line.npos) lines.push_back(line);
  }
  return lines;
}

TEST(Table, HasEachColumnOnceAndADashForWhatIsMissing) {
  const std::string text = to_text(example());
  EXPECT_EQ(lines_with(text, "requests/s").size(), 1u);
  EXPECT_EQ(lines_with(text, "steals").size(), 1u);
  EXPECT_THAT(lines_with(text, "rearm-thread").at(0), HasSubstr("12346"));
  EXPECT_THAT(lines_with(text, "rearm-thread").at(1), HasSubstr("-"));
  EXPECT_THAT(lines_with(text, "lifetime").at(0), HasSubstr("0.812 [0.700, 0.900]"));
}

TEST(Table, SaysWhatBelongsToARowAsAWhole) {
  const std::string text = to_text(example());
  EXPECT_THAT(lines_with(text, "lifetime").at(0), HasSubstr("(shared)"));
  EXPECT_THAT(lines_with(text, "broadcast").at(0), HasSubstr("not available: no such \"thing\""));
}

TEST(Table, ColumnsOfOneTableStandBelowEachOther) {
  const std::string text = to_text(example());
  const std::string heading = lines_with(text, "requests/s").at(0);
  const std::string row = lines_with(text, "12346").at(0);
  EXPECT_EQ(heading.find("requests/s") + std::string("requests/s").size(), row.find("12346") + 5);
}

TEST(Table, EndsWithNotesAndWhatWasExpectedAndSeen) {
  const std::string text = to_text(example());
  EXPECT_THAT(text, HasSubstr("note: a <note> & more\nexpected: this\nseen: that\n"));
}

TEST(JsonReport, HasARowForEachStrategyWithTheColumnsByTheirNames) {
  const auto json = nlohmann::json::parse(to_json(example(), "weft compare \"http\""));
  EXPECT_EQ(json["command"], "weft compare \"http\"");
  ASSERT_EQ(json["results"].size(), 3u);
  const auto& first = json["results"][0];
  EXPECT_EQ(first["strategy"], "rearm-thread");
  EXPECT_EQ(first["threads"], 1);
  EXPECT_DOUBLE_EQ(first["requests_per_second"].get<double>(), 12345.6);
  EXPECT_TRUE(first["steals"].is_null());
  EXPECT_TRUE(first["not_available"].is_null());
  const auto& second = json["results"][1];
  EXPECT_DOUBLE_EQ(second["cpu_ratio_low"].get<double>(), 0.7);
  EXPECT_DOUBLE_EQ(second["cpu_ratio_high"].get<double>(), 0.9);
  EXPECT_EQ(second["labels"][0], "shared");
  EXPECT_EQ(json["results"][2]["not_available"], "no such \"thing\"");
}

TEST(JsonReport, IsValidWhateverAFigureOrAServerSays) {
  Report report = example();
  report.rows[0].figures["steals"] = {std::nan("")};
  report.rows[2].not_available = "\xff\xfe not UTF-8 \x01";
  const auto json = nlohmann::json::parse(to_json(report, ""));
  EXPECT_TRUE(json["results"][0]["steals"].is_null());
  EXPECT_THAT(json["results"][2]["not_available"].get<std::string>(), HasSubstr("not UTF-8"));
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t i = text.find(part); i != text.npos; i = text.find(part, i + part.size())) ++count;
  return count;
}

TEST(SvgChart, HasABarForEachRowThatHasTheFigureAndBoundsWhereTheyAreKnown) {
  const std::string svg = to_svg(example());
  EXPECT_EQ(occurrences(svg, "class=\"bar\""), 2u);
  EXPECT_EQ(occurrences(svg, "class=\"bounds\""), 3u);
  EXPECT_THAT(svg, HasSubstr("rearm-thread, 1 thread<"));
  EXPECT_THAT(svg, Not(HasSubstr("broadcast")));
}

TEST(SvgChart, EscapesTextAndClosesWhatItOpens) {
  const std::string svg = to_svg(example());
  EXPECT_THAT(svg, HasSubstr("read &lt;to&gt; EAGAIN"));
  EXPECT_THAT(svg, Not(HasSubstr("read <to>")));
  EXPECT_EQ(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0), 0u);
  EXPECT_EQ(occurrences(svg, "<text "), occurrences(svg, "</text>"));
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
  EXPECT_EQ(occurrences(svg, "nan") + occurrences(svg, "inf"), 0u);
}

TEST(SvgChart, ALongerBarStandsForMore) {
  const std::string svg = to_svg(example());
  const auto width = [&](std::size_t nth) {
    std::size_t place = 0;
    for (std::size_t i = 0; i <= nth; ++i) place = svg.find("<rect ", place) + 1;
    return std::stod(svg.substr(svg.find("width=\"", place) + 7));
  };
  EXPECT_NEAR(width(1) / width(0), 0.8123, 0.01);
}

TEST(SvgChart, NothingToDrawIsAnEmptyChart) {
  Report report = example();
  report.rows.clear();
  const std::string svg = to_svg(report);
  EXPECT_EQ(occurrences(svg, "class=\"bar\""), 0u);
  EXPECT_EQ(occurrences(svg, "nan") + occurrences(svg, "inf"), 0u);
}

TEST(SvgChart, WhatXmlCannotHoldIsLeftOut) {
  EXPECT_EQ(xml_escaped("a\x01<&>\"'b"), "a&lt;&amp;&gt;&quot;&#39;b");
}

}  // namespace
}  // namespace weft::tool::compare
