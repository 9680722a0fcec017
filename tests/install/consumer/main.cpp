// Uses one thing of each library it links: features of a tone, and a narrowing cast.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "export/format.h"
#include "features/feature_extractor.h"

int main() {
  std::vector<float> tone(16000);
  for (std::size_t i = 0; i < tone.size(); ++i)
    tone[i] = 1000.0F * std::sin(0.1F * static_cast<float>(i));
  const ernn::FeatureExtractor extractor{ernn::FeatureOptions{}};
  std::int64_t saturations = 0;
  const auto code = ernn::narrow(100, 4, {4, 4}, saturations);
  const auto frames = extractor.compute(tone).rows;
  std::printf("%d frames, code %lld, %lld saturations\n", frames, static_cast<long long>(code),
              static_cast<long long>(saturations));
  return frames == 98 && code == 6 && saturations == 0 ? 0 : 1;
}
