// The C program against the C++ interface: it runs frames twice, with a reset between.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "export/artefact_writer.h"
#include "runtime/engine.h"
#include "tests/export/random_network.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

/// What the program prints; fails the test when it does not exit with 0.
std::string output_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, n);
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << "\n" << text;
  return text;
}

/// The same frames as in c_program.c.
std::string expected_output(const std::shared_ptr<const Engine>& engine) {
  Stream stream(engine);
  std::string text;
  for (int t = 0; t < 4; ++t) {
    std::vector<float> features;
    features.reserve(static_cast<std::size_t>(engine->inputs()));
    for (int i = 0; i < engine->inputs(); ++i)
      features.push_back(static_cast<float>((7 * i + 3 * t) % 11 - 5) / 4);
    const float* const found = stream.step(features.data(), features.size());
    for (int i = 0; i < engine->outputs(); ++i) {
      char number[32];
      std::snprintf(number, sizeof number, "%.6f%c", static_cast<double>(found[i]),
                    i + 1 < engine->outputs() ? ' ' : '\n');
      text += number;
    }
  }
  return text + text;
}

TEST(CInterface, RunsAnArtefact) {
  const TemporaryFolder folder;
  const NamedModel model = every_kind_of_model()[2];
  Artefact artefact;
  artefact.network = quantise_at(random_network(model.options, 3),
                                 random_utterances(2, 20, model.options.inputs, 4), 12);
  const std::string place = (folder.path() / "artefact").string();
  write_artefact(artefact,
                 make_golden(artefact.network, random_frames(artefact.network, 2, 9), 1, 2), place);
  EXPECT_EQ(output_of(std::string(ERNN_C_PROGRAM) + " artefact " + place),
            expected_output(Engine::load_artefact(place)));
}

TEST(CInterface, RunsAModel) {
  const TemporaryFolder folder;
  const ModelFile model = random_model(every_kind_of_model()[2].options, 3);
  const std::string place = (folder.path() / "model.safetensors").string();
  model.tensors.save(place);
  EngineOptions options;
  options.isa = Isa::portable;
  EXPECT_EQ(output_of(std::string(ERNN_C_PROGRAM) + " model " + place),
            expected_output(Engine::load_model(place, options)));
}

}  // namespace
}  // namespace ernn
