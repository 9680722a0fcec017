// Asks the installed runtime for a network that is not there.
#include <cstring>

#include "runtime/ernn_runtime.h"

int main() {
  const bool refused = ernn_engine_load_artefact("/nowhere", ERNN_ISA_BEST) == nullptr;
  return refused && std::strstr(ernn_last_error(), "/nowhere/manifest.json") != nullptr ? 0 : 1;
}
