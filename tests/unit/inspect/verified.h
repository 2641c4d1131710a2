// Runs verify for a test and keeps what it said.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "inspect/verify.h"

namespace mq::inspect::test {

struct Verified {
  std::vector<VerifyFinding> findings;
  VerifySummary summary;

  [[nodiscard]] std::vector<VerifyFinding> of(Severity severity) const {
    std::vector<VerifyFinding> out;
    std::copy_if(findings.begin(), findings.end(), std::back_inserter(out),
                 [severity](const VerifyFinding& f) { return f.severity == severity; });
    return out;
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const VerifyFinding& f : findings) {
      out += std::string(name_of(f.severity)) + ' ' + f.file + " at " + std::to_string(f.at) +
             ": " + f.what + ": expected " + f.expected + ", found " + f.found + "; " + f.mend +
             '\n';
    }
    return out;
  }
};

inline Verified verify_all(fs::Fs& fs, const std::string& path, const VerifyOptions& options = {}) {
  Verified out;
  auto summary =
      verify(fs, path, options, [&](const VerifyFinding& f) { out.findings.push_back(f); });
  EXPECT_TRUE(summary) << summary.error();
  if (summary) out.summary = *summary;
  return out;
}

}  // namespace mq::inspect::test
