#include "explore/dataflow_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>

namespace ernn {

namespace {

struct ChannelState {
  std::int64_t count = 0;              ///< words, or vectors of a buffer
  std::int64_t reads = 0, writes = 0;  ///< of this clock, applied at its end
  std::int64_t taken = 0;              ///< words of the source so far
};

struct ProcessState {
  bool running = false, drained = false;
  int vector = 0;                                      ///< the current or next one
  int issued = 0;                                      ///< beats
  std::int64_t advances = 0;                           ///< clocks in which the pipeline moved
  std::deque<std::pair<int, std::int64_t>> in_flight;  ///< beat and when it leaves, in advances
  std::vector<std::size_t> next_read, next_write;      ///< by port
  ProcessRun run;
};

class ClockedRun {
 public:
  ClockedRun(const ProcessNetwork& network, const DataflowOptions& options)
      : network_(network),
        options_(options),
        channels_(network.channels.size()),
        states_(network.processes.size()),
        finished_(network.recurrent.size()),
        loop_size_(network.recurrent.size()),
        loop_ready_(network.recurrent.size()) {
    for (const Process& process : network.processes)
      ++loop_size_[static_cast<std::size_t>(process.loop)];
    vectors_ = options.frames * options.streams;
    pending_ = static_cast<std::int64_t>(states_.size()) * vectors_;
  }

  DataflowTrace run() {
    while (pending_ > 0) {
      bool progress = false;
      for (std::size_t p = 0; p < states_.size(); ++p) progress = step(p) || progress;
      progress = apply() || progress;
      if (!progress && !waiting()) throw std::logic_error(blocked());
      ++clock_;
    }
    trace_.clocks = clock_;
    return std::move(trace_);
  }

 private:
  bool can_start(const Process& process, const ProcessState& state) const {
    if (state.vector >= vectors_) return false;
    const auto loop = static_cast<std::size_t>(process.loop);
    if (network_.recurrent[loop]) {
      const int frame = state.vector / options_.streams;
      if (finished_[loop] <
              static_cast<std::int64_t>(frame) * loop_size_[loop] * options_.streams ||
          clock_ < loop_ready_[loop])
        return false;
    }
    for (const Port& port : process.reads) {
      const auto c = static_cast<std::size_t>(port.channel);
      if (network_.channels[c].buffer && channels_[c].count < 1) return false;
    }
    for (const Port& port : process.writes) {
      const auto c = static_cast<std::size_t>(port.channel);
      if (network_.channels[c].buffer && channels_[c].count >= network_.channels[c].capacity)
        return false;
    }
    return true;
  }

  void start(std::size_t p) {
    ProcessState& state = states_[p];
    state.running = true;
    state.drained = false;
    state.issued = 0;
    state.advances = 0;
    state.next_read.assign(network_.processes[p].reads.size(), 0);
    state.next_write.assign(network_.processes[p].writes.size(), 0);
    state.run = ProcessRun{static_cast<int>(p),
                           state.vector / options_.streams,
                           state.vector % options_.streams,
                           clock_,
                           -1,
                           -1};
  }

  bool readable(std::size_t channel, const ProcessState& state) const {
    if (!network_.channels[channel].source) return channels_[channel].count > 0;
    return clock_ >= state.vector / options_.streams * options_.arrival_interval;
  }

  /// Writes of `beat`, when all can be done.
  bool write(const Process& process, ProcessState& state, int beat) {
    const auto due = [&](std::size_t i) {
      const auto& beats = process.writes[i].beats;
      return state.next_write[i] < beats.size() && beats[state.next_write[i]] == beat;
    };
    for (std::size_t i = 0; i < process.writes.size(); ++i) {
      const auto c = static_cast<std::size_t>(process.writes[i].channel);
      if (due(i) && channels_[c].count >= network_.channels[c].capacity) return false;
    }
    for (std::size_t i = 0; i < process.writes.size(); ++i) {
      if (!due(i)) continue;
      ++channels_[static_cast<std::size_t>(process.writes[i].channel)].writes;
      ++state.next_write[i];
    }
    return true;
  }

  bool issue(const Process& process, ProcessState& state) {
    const auto due = [&](std::size_t i) {
      const auto& beats = process.reads[i].beats;
      return state.next_read[i] < beats.size() && beats[state.next_read[i]] == state.issued;
    };
    for (std::size_t i = 0; i < process.reads.size(); ++i) {
      if (due(i) && !readable(static_cast<std::size_t>(process.reads[i].channel), state))
        return false;
    }
    for (std::size_t i = 0; i < process.reads.size(); ++i) {
      if (!due(i)) continue;
      const auto c = static_cast<std::size_t>(process.reads[i].channel);
      if (!network_.channels[c].source) ++channels_[c].reads;
      ++state.next_read[i];
    }
    state.in_flight.emplace_back(state.issued, state.advances + process.depth);
    if (state.issued == 0) state.run.first_issue = clock_;
    ++state.issued;
    return true;
  }

  /// One clock of one process; true when it did something.
  bool step(std::size_t p) {
    const Process& process = network_.processes[p];
    ProcessState& state = states_[p];
    if (!state.running) {
      if (!can_start(process, state)) return false;
      start(p);
      return true;
    }
    if (state.drained) {
      finish(p);
      return true;
    }
    bool progress = false;
    if (!state.in_flight.empty() && state.in_flight.front().second == state.advances) {
      if (!write(process, state, state.in_flight.front().first)) return false;
      state.in_flight.pop_front();
      progress = true;
      state.run.last_write = clock_;
    }
    if (state.issued < process.beats) progress = issue(process, state) || progress;
    progress = progress || !state.in_flight.empty();
    ++state.advances;
    state.drained = state.issued == process.beats && state.in_flight.empty();
    return progress;
  }

  void finish(std::size_t p) {
    const Process& process = network_.processes[p];
    ProcessState& state = states_[p];
    state.running = false;
    trace_.runs.push_back(state.run);
    ++state.vector;
    --pending_;
    for (const Port& port : process.reads) {
      const auto c = static_cast<std::size_t>(port.channel);
      if (network_.channels[c].buffer) ++channels_[c].reads;
    }
    for (const Port& port : process.writes) {
      const auto c = static_cast<std::size_t>(port.channel);
      if (network_.channels[c].buffer) ++channels_[c].writes;
    }
    ended_.push_back(process.loop);
  }

  /// What was read, written and finished in this clock holds from the next one on.
  bool apply() {
    bool changed = false;
    for (ChannelState& channel : channels_) {
      changed = changed || channel.reads > 0 || channel.writes > 0;
      channel.count += channel.writes - channel.reads;
      channel.reads = channel.writes = 0;
    }
    for (const int loop : ended_) {
      const auto l = static_cast<std::size_t>(loop);
      ++finished_[l];
      if (finished_[l] % (static_cast<std::int64_t>(loop_size_[l]) * options_.streams) == 0)
        loop_ready_[l] = clock_ + 1 + kFrameLoopClocks;
      changed = true;
    }
    ended_.clear();
    return changed;
  }

  /// Whether only time has to pass.
  bool waiting() const {
    if (clock_ < options_.arrival_interval * options_.frames) return true;
    return std::any_of(loop_ready_.begin(), loop_ready_.end(),
                       [this](std::int64_t ready) { return clock_ <= ready; });
  }

  std::string blocked() const {
    std::string text = fmt::format("nothing can go on at clock {}:", clock_);
    for (std::size_t p = 0; p < states_.size(); ++p) {
      if (states_[p].vector < vectors_) {
        text +=
            fmt::format(" {} (vector {}, beat {}{})", network_.processes[p].name, states_[p].vector,
                        states_[p].issued, states_[p].running ? "" : ", idle");
      }
    }
    return text;
  }

  const ProcessNetwork& network_;
  const DataflowOptions& options_;
  std::vector<ChannelState> channels_;
  std::vector<ProcessState> states_;
  std::vector<std::int64_t> finished_;  ///< vectors, all processes of a loop together
  std::vector<int> loop_size_;
  std::vector<std::int64_t> loop_ready_;
  std::vector<int> ended_;
  int vectors_ = 0;
  std::int64_t pending_ = 0;
  std::int64_t clock_ = 0;
  DataflowTrace trace_;
};

}  // namespace

std::int64_t DataflowTrace::end_of(int process, int frame, int stream) const {
  for (const ProcessRun& run : runs) {
    if (run.process == process && run.frame == frame && run.stream == stream) return run.last_write;
  }
  return -1;
}

DataflowTrace simulate_dataflow(const ProcessNetwork& network, const DataflowOptions& options) {
  return ClockedRun(network, options).run();
}

double steady_interval(const ProcessNetwork& network, const DataflowTrace& trace, int frames,
                       int streams) {
  const int last = static_cast<int>(network.processes.size()) - 1;
  const int half = frames / 2;
  const auto from = trace.end_of(last, half - 1, streams - 1);
  const auto to = trace.end_of(last, frames - 1, streams - 1);
  return static_cast<double>(to - from) / ((frames - half) * streams);
}

}  // namespace ernn
