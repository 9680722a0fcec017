// Programs that a test starts beside itself.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace ernn {

/// A running program; the destructor kills it when it still runs.
class ChildProcess {
 public:
  /// `arguments` begins with the program. `environment` is put over this process' own; standard
  /// error goes to the file `errors`, standard output to the file `output` and standard input comes
  /// from the descriptor `input` where they are given.
  ChildProcess(const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment,
               const std::filesystem::path& errors, const std::filesystem::path& output = {},
               int input = -1) {
    std::vector<std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string variable = *entry;
      if (environment.count(variable.substr(0, variable.find('='))) == 0)
        variables.push_back(variable);
    }
    for (const auto& [name, value] : environment) {
      std::string& variable = variables.emplace_back(name);
      variable += '=';
      variable += value;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), kNew, 0600);
    if (!output.empty())
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), kNew, 0600);
    if (input >= 0) posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    const int failed = posix_spawn(&id_, arguments.front().c_str(), &actions, nullptr,
                                   pointers(arguments).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments.front());
  }
  ~ChildProcess() {
    if (id_ > 0) kill_and_wait();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// The exit status, or minus the signal that ended it; waits until `seconds` have passed and then
  /// throws.
  int wait(double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    int status = 0;
    while (wait4(id_, &status, WNOHANG, &usage_) == 0) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it does not end");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// The most memory that it had at a time, after wait().
  double peak_bytes() const { return 1024.0 * static_cast<double>(usage_.ru_maxrss); }

  void send(int signal) const { ::kill(id_, signal); }

  void kill_and_wait() {
    ::kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    id_ = -1;
  }

 private:
  static std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
  }

  pid_t id_ = -1;
  rusage usage_{};
};

}  // namespace ernn
