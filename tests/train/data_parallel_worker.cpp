// One process of a group that trains the toy corpus; data_parallel_test.cpp starts several.
//
//   data_parallel_worker --out DIR [--resume] [--stages YAML] [--set key=value]...
//                        [--kill N | --hang N | --stop N] [--make S] [--kill-after S]
//
// Ends as `ernn train` does: one line on standard error and the error's exit status. After N steps
// it kills itself, falls silent, or asks for an orderly stop.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cxxopts.hpp>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/train/toy.h"
#include "train/machine.h"
#include "train/process_group.h"
#include "train/run.h"

namespace {

std::function<bool()> after_steps(int steps, const std::function<bool()>& act) {
  return [left = std::make_shared<int>(steps), act] { return --*left == 0 && act(); };
}

std::function<bool()> stop_function(const cxxopts::ParseResult& arguments) {
  if (arguments.count("kill") > 0) {
    return after_steps(arguments["kill"].as<int>(), [] {
      std::raise(SIGKILL);
      return false;
    });
  }
  if (arguments.count("hang") > 0) {
    return after_steps(arguments["hang"].as<int>(), [] {
      std::this_thread::sleep_for(std::chrono::hours(1));
      return false;
    });
  }
  if (arguments.count("stop") > 0)
    return after_steps(arguments["stop"].as<int>(), [] { return true; });
  return [] { return false; };
}

/// What the first process does before it has its data.
std::string work(int seconds, const std::function<void()>& go_on) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    go_on();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return "";
}

void run(int argc, char** argv) {
  cxxopts::Options options("data_parallel_worker");
  // clang-format off
  options.add_options()
      ("out", "", cxxopts::value<std::string>())
      ("resume", "")
      ("stages", "", cxxopts::value<std::string>()->default_value(""))
      ("set", "", cxxopts::value<std::vector<std::string>>())
      ("kill", "", cxxopts::value<int>())
      ("hang", "", cxxopts::value<int>())
      ("stop", "", cxxopts::value<int>())
      ("make", "", cxxopts::value<int>()->default_value("0"))
      ("kill-after", "", cxxopts::value<int>());
  // clang-format on
  const auto arguments = options.parse(argc, argv);
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  const ernn::RunConfig config = ernn::toy::config(arguments["stages"].as<std::string>(), sets);
  ernn::set_threads(1);
  ernn::RunOptions run;
  run.out = arguments["out"].as<std::string>();
  run.resume = arguments.count("resume") > 0;
  run.quiet = true;
  run.stop = stop_function(arguments);
  run.group = std::make_shared<ernn::ProcessGroup>(ernn::read_place(), config.distributed);
  if (arguments.count("kill-after") > 0) {
    std::thread([seconds = arguments["kill-after"].as<int>()] {
      std::this_thread::sleep_for(std::chrono::seconds(seconds));
      std::raise(SIGKILL);
    }).detach();
  }
  ernn::run_training(config, run, [&] {
    run.group->from_first_patiently([&](const std::function<void()>& go_on) {
      return work(arguments["make"].as<int>(), go_on);
    });
    return ernn::toy::data();
  });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
  } catch (const ernn::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return 99;
  }
  return 0;
}
