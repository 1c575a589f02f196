// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/explore.hpp"

#include <cstdio>
#include <cstdlib>

namespace weft::model {
namespace {

const char* name_of(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::kCheck: return "check failed";
    case FailureKind::kDeadlock: return "deadlock";
    case FailureKind::kLivelock: return "livelock";
    case FailureKind::kDataRace: return "data race";
    case FailureKind::kLifetime: return "use after the end of a life";
    case FailureKind::kPanic: return "BUG";
    case FailureKind::kLimit: return "limit of the explorer";
    case FailureKind::kNone: break;
  }
  return "";
}

std::vector<unsigned> choices_from(const char* text) {
  std::vector<unsigned> choices;
  char* end = nullptr;
  for (const char* at = text; *at != '\0'; at = *end == '.' ? end + 1 : end) {
    choices.push_back(static_cast<unsigned>(std::strtoul(at, &end, 10)));
    if (end == at) break;
  }
  return choices;
}

std::string text_of(const std::vector<unsigned>& choices) {
  std::string text;
  for (const unsigned choice : choices) text += (text.empty() ? "" : ".") + std::to_string(choice);
  return text;
}

std::unique_ptr<Search> search_of(const Options& options) {
  if (options.random_executions != 0) return make_random_search(options.seed, options.random_executions);
  if (options.preemptions_max >= 0) return make_bounded_search(options.preemptions_max);
  return make_exhaustive_search();
}

std::string report_of(const Options& options, const Outcome& outcome, const Execution& execution) {
  std::string report = std::string(name_of(outcome.failure.kind)) + ": " + outcome.failure.what + "\n" +
                       execution.trace() + "  (execution " + std::to_string(outcome.executions);
  if (options.random_executions != 0) report += ", seed " + std::to_string(options.seed);
  return report + "; again: WEFT_MODEL_REPLAY=" + text_of(execution.choices()) + ")\n";
}

}  // namespace

Outcome explore(const Options& options, const std::function<void()>& body) {
  static Execution& execution = *new Execution;  // its stacks are used by one exploration after the other
  const char* const replay = std::getenv("WEFT_MODEL_REPLAY");
  const std::unique_ptr<Search> search =
      replay != nullptr ? make_replay(choices_from(replay)) : search_of(options);
  Outcome outcome;
  while (outcome.executions < options.executions_max) {
    if (!search->begin()) {
      outcome.complete = true;
      break;
    }
    ++outcome.executions;
    execution.run(*search, options.limits, body);
    outcome.failure = execution.failure();
    if (!outcome.failure) continue;
    outcome.report = report_of(options, outcome, execution);
    break;
  }
  if (replay != nullptr) std::fprintf(stderr, "%s", execution.trace().c_str());
  return outcome;
}

}  // namespace weft::model
