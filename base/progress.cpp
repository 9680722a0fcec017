#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ernn {

namespace {
constexpr int kBarWidth = 24;
constexpr double kRedrawSeconds = 0.2;
}  // namespace

std::string format_duration(double seconds) {
  const long long whole = std::llround(std::max(0.0, seconds));
  const long long hours = whole / 3600;
  const long long minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

Progress::Progress(std::string title, long long total, bool quiet)
    : title_(std::move(title)),
      total_(std::max<long long>(1, total)),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_draw_(start_) {}

Progress::~Progress() {
  if (drawn_) finish();
}

void Progress::update(long long done, const std::string& note) {
  if (quiet_ || !terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  const double since_draw = std::chrono::duration<double>(now - last_draw_).count();
  if (drawn_ && since_draw < kRedrawSeconds && done < total_) return;
  last_draw_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double share =
      std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
  const int filled = static_cast<int>(share * kBarWidth);
  const std::string to_go = done > 0 ? format_duration(elapsed / share - elapsed) : "-:--";
  fmt::print(stderr, "\r{} [{}{}] {:3.0f}% eta {} {}\033[K", title_,
             std::string(static_cast<std::size_t>(filled), '='),
             std::string(static_cast<std::size_t>(kBarWidth - filled), ' '), 100 * share, to_go,
             note);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::finish(const std::string& summary) {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
  if (!quiet_ && !summary.empty()) fmt::print(stderr, "{}\n", summary);
  std::fflush(stderr);
}

}  // namespace ernn
