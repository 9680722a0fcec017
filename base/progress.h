// A progress bar with time to go on a terminal, plain lines otherwise.
#pragma once

#include <chrono>
#include <string>

namespace ernn {

/// Shows how far a long loop has come, on standard error. On a terminal one line is redrawn a few
/// times a second; otherwise nothing is printed until finish(), so that logs stay short.
class Progress {
 public:
  /// `quiet` suppresses everything.
  Progress(std::string title, long long total, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are finished; `note` is shown behind the bar (a loss, say).
  void update(long long done, const std::string& note = "");
  /// Removes the bar and, when `summary` is given, prints it as a line.
  void finish(const std::string& summary = "");

 private:
  std::string title_;
  long long total_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_draw_;
};

/// 83 s -> "1:23", 3723 s -> "1:02:03".
std::string format_duration(double seconds);

}  // namespace ernn
