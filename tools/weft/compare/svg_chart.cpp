// SPDX-License-Identifier: Apache-2.0
#include "svg_chart.hpp"

#include "table.hpp"

#include <algorithm>
#include <cmath>

namespace weft::tool::compare {
namespace {

constexpr int kRowHeight = 26;
constexpr int kBarHeight = 16;
constexpr int kTop = 56;
constexpr int kBottom = 34;
constexpr int kLabelRight = 290;  // names end here
constexpr int kBarLeft = 300;
constexpr int kBarWidth = 420;
constexpr int kWidth = 900;

constexpr const char* kStyle = R"(<style>
text { font: 13px system-ui, sans-serif; fill: #333; }
.title { font-size: 15px; font-weight: 600; }
.bar { fill: #4a86b8; }
.grid { stroke: #8888; stroke-width: 1; }
.bounds { stroke: #222; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #ccc; }
  .bar { fill: #5b9bd0; }
  .bounds { stroke: #eee; }
}
</style>
)";

std::string number(double value, int decimals = 1) { return fixed_point(value, decimals); }

const Column* plotted_column(const Report& report) {
  for (const Column& column : report.columns) {
    if (column.key == report.plotted) return &column;
  }
  return nullptr;
}

struct Bar {
  std::string name;
  Estimate figure;
};

std::vector<Bar> bars_of(const Report& report) {
  std::vector<Bar> bars;
  for (const Row& row : report.rows) {
    const Estimate* const figure = row.figure(report.plotted);
    if (figure == nullptr || !std::isfinite(figure->value)) continue;
    bars.push_back(
        {row.name() + ", " + std::to_string(row.threads) + (row.threads == 1 ? " thread" : " threads"),
         *figure});
  }
  return bars;
}

/// 1, 2 or 5 times a power of ten, so that about five of them make `maximum`.
double tick_step(double maximum) {
  const double rough = maximum / 5;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power) return factor * power;
  }
  return 10 * power;
}

class Chart {
 public:
  Chart(const Column& column, std::vector<Bar> bars) : column_(column), bars_(std::move(bars)) {
    for (const Bar& bar : bars_) maximum_ = std::max(maximum_, bar.figure.high.value_or(bar.figure.value));
    if (maximum_ <= 0) maximum_ = 1;
    maximum_ *= 1.05;
  }

  std::string draw(const std::string& title) const {
    const std::string width = std::to_string(kWidth);
    const std::string height = std::to_string(bottom() + kBottom);
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                      "\" viewBox=\"0 0 " + width + " " + height + "\" role=\"img\">\n";
    svg += "<title>" + xml_escaped(title) + "</title>\n" + kStyle;
    svg += text(10, 22, "start", title, "title") + text(10, 42, "start", column_.heading);
    svg += grid();
    for (std::size_t i = 0; i < bars_.size(); ++i)
      svg += bar(bars_[i], kTop + static_cast<int>(i) * kRowHeight);
    return svg + "</svg>\n";
  }

 private:
  int bottom() const { return kTop + static_cast<int>(bars_.size()) * kRowHeight; }
  double x(double value) const { return kBarLeft + value / maximum_ * kBarWidth; }

  static std::string text(double x, int y, const char* anchor, const std::string& words,
                          const char* kind = "") {
    return "<text x=\"" + number(x) + "\" y=\"" + std::to_string(y) + "\" text-anchor=\"" + anchor +
           "\" class=\"" + kind + "\">" + xml_escaped(words) + "</text>\n";
  }

  static std::string line(double x1, double y1, double x2, double y2, const char* kind) {
    return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
           number(y2) + "\" class=\"" + kind + "\"/>\n";
  }

  std::string grid() const {
    std::string svg;
    const double step = tick_step(maximum_);
    const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step))));
    for (int i = 0; i * step <= maximum_; ++i) {
      svg += line(x(i * step), kTop - 4, x(i * step), bottom(), "grid");
      svg += text(x(i * step), bottom() + 18, "middle", number(i * step, decimals));
    }
    return svg;
  }

  std::string bar(const Bar& bar, int y) const {
    const int middle = y + kBarHeight / 2;
    std::string svg = text(kLabelRight, middle + 5, "end", bar.name);
    svg += "<rect x=\"" + std::to_string(kBarLeft) + "\" y=\"" + std::to_string(y) + "\" width=\"" +
           number(std::max(0.0, x(bar.figure.value) - kBarLeft)) + "\" height=\"" +
           std::to_string(kBarHeight) + "\" class=\"bar\"/>\n";
    const double end = bar.figure.high.value_or(bar.figure.value);
    if (bar.figure.low) svg += bounds(*bar.figure.low, end, middle);
    return svg + text(x(end) + 8, middle + 5, "start", number(bar.figure.value, column_.decimals));
  }

  std::string bounds(double low, double high, int middle) const {
    std::string svg = line(x(low), middle, x(high), middle, "bounds");
    for (const double end : {low, high}) svg += line(x(end), middle - 5, x(end), middle + 5, "bounds");
    return svg;
  }

  const Column& column_;
  std::vector<Bar> bars_;
  double maximum_ = 0;
};

}  // namespace

std::string xml_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') escaped += c;
    }
  }
  return escaped;
}

std::string to_svg(const Report& report) {
  const Column missing{report.plotted, report.plotted};
  const Column* const column = plotted_column(report);
  return Chart(column == nullptr ? missing : *column, bars_of(report))
      .draw("weft compare " + report.scenario);
}

}  // namespace weft::tool::compare
