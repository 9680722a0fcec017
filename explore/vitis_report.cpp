#include "explore/vitis_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSynthesisReport = "syn/report/csynth.xml";
/// Where a loop that the tool has made a module of its own is named after its function; the
/// function's figures include it.
constexpr const char* kLoopModule = "_Pipeline_";

/// A number of a report: a count, or a range "a ~ b", of which the larger is taken.
std::optional<double> number_in(const std::string& text, const std::string& place) {
  static const std::vector<std::string> unknown = {"", "undef", "?", "-", "NA", "N/A"};
  std::optional<double> largest;
  for (const std::string& part : split(text, '~')) {
    const std::string word(trim(part));
    if (std::find(unknown.begin(), unknown.end(), word) != unknown.end()) return std::nullopt;
    double value = 0;
    if (!parse_double(word, value) || value < 0)
      throw DataError(fmt::format("{}: found '{}', expected a number or 'undef'", place, word));
    largest = std::max(largest.value_or(0), value);
  }
  return largest;
}

/// A part of a report, which knows its place for messages.
class Section {
 public:
  Section(pugi::xml_node node, std::string place) : node_(node), place_(std::move(place)) {}

  /// Text of an element below, "" when there is none.
  std::string text(const char* path) const {
    return std::string(trim(node_.first_element_by_path(path).text().get()));
  }
  /// The number of the first of several elements that is there.
  std::optional<double> number(const std::vector<const char*>& paths) const {
    for (const char* path : paths) {
      if (node_.first_element_by_path(path)) return number_in(text(path), place_ + ": " + path);
    }
    return std::nullopt;
  }
  /// Throws unless one of the elements is there, whatever it says.
  void need(const std::vector<const char*>& paths) const {
    for (const char* path : paths) {
      if (node_.first_element_by_path(path)) return;
    }
    throw DataError(
        fmt::format("{}: {} is missing; was the synthesis finished?", place_, paths[0]));
  }
  const std::string& place() const { return place_; }
  pugi::xml_node node() const { return node_; }

 private:
  pugi::xml_node node_;
  std::string place_;
};

const std::vector<const char*> kWorst = {
    "PerformanceEstimates/SummaryOfOverallLatency/Worst-caseLatency"};
// Of the top function and of modules.
const std::vector<const char*> kInterval = {
    "PerformanceEstimates/SummaryOfOverallLatency/Interval-max",
    "PerformanceEstimates/SummaryOfOverallLatency/PipelineInitiationInterval"};
const std::vector<const char*> kReached = {
    "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"};
const std::vector<const char*> kAsked = {
    "UserAssignments/TargetClockPeriod",
    "PerformanceEstimates/SummaryOfTimingAnalysis/TargetClockPeriod"};
const std::vector<const char*> kLut = {"AreaEstimates/Resources/LUT"};
const std::vector<const char*> kFf = {"AreaEstimates/Resources/FF"};
const std::vector<const char*> kDsp = {"AreaEstimates/Resources/DSP",
                                       "AreaEstimates/Resources/DSP48E"};
const std::vector<const char*> kBram = {"AreaEstimates/Resources/BRAM_18K"};
const std::vector<const char*> kUram = {"AreaEstimates/Resources/URAM"};

std::optional<double> halved(std::optional<double> memories_of_18_kbit) {
  if (memories_of_18_kbit) *memories_of_18_kbit /= 2;
  return memories_of_18_kbit;
}

std::optional<std::int64_t> whole(const std::optional<double>& value) {
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

SynthesisResult estimates_of(const Section& section) {
  SynthesisResult result;
  result.source = ResultSource::vendor_report;
  result.depth = whole(section.number(kWorst));
  result.interval = section.number(kInterval);
  result.lut = section.number(kLut);
  result.ff = section.number(kFf);
  result.dsp = section.number(kDsp);
  result.bram = halved(section.number(kBram));
  result.uram = section.number(kUram);
  result.period_ns = section.number(kAsked);
  result.reached_ns = section.number(kReached);
  return result;
}

void read_available(const Section& report, SynthesisResult& top) {
  const std::pair<const char*, std::vector<const char*>> known[] = {
      {"lut", {"AreaEstimates/AvailableResources/LUT"}},
      {"ff", {"AreaEstimates/AvailableResources/FF"}},
      {"dsp", {"AreaEstimates/AvailableResources/DSP", "AreaEstimates/AvailableResources/DSP48E"}},
      {"bram", {"AreaEstimates/AvailableResources/BRAM_18K"}},
      {"uram", {"AreaEstimates/AvailableResources/URAM"}}};
  for (const auto& [key, paths] : known) {
    std::optional<double> has = report.number(paths);
    if (key == std::string("bram")) has = halved(has);
    if (has) top.available[key] = *has;
  }
}

pugi::xml_document load_xml(const fs::path& path) {
  const std::string text = read_file(path);
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) {
    const auto end =
        text.begin() + std::min(parsed.offset, static_cast<std::ptrdiff_t>(text.size()));
    throw DataError(fmt::format("{}:{}: no whole XML file: {}", path.string(),
                                1 + std::count(text.begin(), end, '\n'), parsed.description()));
  }
  return document;
}

struct SynthesisReport {
  std::string top;  ///< the function's name
  std::vector<SynthesisResult> results;
};

SynthesisReport read_synthesis(const fs::path& path, const std::string& name) {
  const pugi::xml_document document = load_xml(path);
  const Section report(document.child("profile"), path.string());
  for (const auto& paths : {std::vector<const char*>{"UserAssignments/TopModelName"}, kWorst,
                            kInterval, kReached, kLut, kFf, kDsp, kBram}) {
    report.need(paths);
  }
  SynthesisResult top = estimates_of(report);
  read_available(report, top);
  SynthesisReport read;
  read.top = report.text("UserAssignments/TopModelName");
  top.name = name.empty() ? read.top : name;
  top.tool = fmt::format("Vitis HLS {}", report.text("ReportVersion/Version"));
  read.results = {top};
  for (const pugi::xml_node node : report.node().child("ModuleInformation").children("Module")) {
    const std::string model(trim(node.child("Name").text().get()));
    if (model.empty() || model == read.top || model.find(kLoopModule) != std::string::npos)
      continue;
    SynthesisResult module =
        estimates_of(Section(node, fmt::format("{}: module {}", path.string(), model)));
    module.name = fmt::format("{}/{}", top.name, model);
    module.tool = top.tool;
    read.results.push_back(std::move(module));
  }
  return read;
}

/// The lines of the table, "| Verilog | Pass | min | avg | max | min | avg | max | ...": latency,
/// then interval in clocks.
void add_simulation(const fs::path& path, SynthesisResult& top) {
  constexpr std::size_t kLatencyMax = 4, kIntervalMax = 7;
  for (const std::string& line : split(read_file(path), '\n')) {
    std::vector<std::string> cells = split(trim(line), '|');
    if (cells.size() < 2 || !cells.front().empty()) continue;
    cells.erase(cells.begin());
    if (trim(cells.back()).empty()) cells.pop_back();
    for (std::string& cell : cells) cell = std::string(trim(cell));
    if (cells[0] != "Verilog" && cells[0] != "VHDL") continue;
    const std::string place = fmt::format("{}: {}", path.string(), cells[0]);
    if (cells.size() <= kIntervalMax) {
      throw DataError(fmt::format("{}: found {} columns, expected {} or more", place, cells.size(),
                                  kIntervalMax + 1));
    }
    if (cells[1] == "NA") continue;  // not simulated in this language
    if (cells[1] != "Pass") {
      throw DataError(
          fmt::format("{}: the co-simulation says '{}', expected 'Pass': what it was "
                      "synthesised from does not count",
                      place, cells[1]));
    }
    if (const auto latency = number_in(cells[kLatencyMax], place + ": latency"))
      top.depth = whole(latency);
    if (const auto interval = number_in(cells[kIntervalMax], place + ": interval"))
      top.interval = interval;
    top.mismatches = 0;
    top.tool += ", co-simulated";
    return;
  }
  throw DataError(
      fmt::format("{}: no line says that Verilog or VHDL was simulated", path.string()));
}

/// `folder`, or the one folder below it that has a report.
fs::path solution_in(const fs::path& folder) {
  if (fs::exists(folder / kSynthesisReport)) return folder;
  std::vector<std::string> solutions;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / kSynthesisReport)) solutions.push_back(entry.path().string());
  }
  std::sort(solutions.begin(), solutions.end());
  if (solutions.empty()) {
    throw DataError(
        fmt::format("{}: found no {}, there or one folder below; expected a solution "
                    "that Vitis HLS has synthesised",
                    folder.string(), kSynthesisReport));
  }
  if (solutions.size() > 1) {
    throw DataError(fmt::format("{}: has several solutions, name one of {}", folder.string(),
                                join(solutions, ", ")));
  }
  return solutions.front();
}

}  // namespace

std::vector<SynthesisResult> read_vitis_reports(const fs::path& folder, const std::string& name) {
  if (!fs::is_directory(folder))
    throw DataError(fmt::format("{}: no such folder", folder.string()));
  const fs::path solution = solution_in(folder);
  SynthesisReport report = read_synthesis(solution / kSynthesisReport, name);
  const fs::path simulation = solution / "sim/report" / (report.top + "_cosim.rpt");
  if (fs::exists(simulation)) add_simulation(simulation, report.results.front());
  return std::move(report.results);
}

}  // namespace ernn
