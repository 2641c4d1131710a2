// The commit log as the derived files see it.
#pragma once

#include "store/commit_log.h"
#include "store/log_source.h"

namespace mq::store {

class CommitLogSource final : public ExpirableLog {
 public:
  explicit CommitLogSource(CommitLog& log) noexcept : log_(log) {}  // borrowed

  [[nodiscard]] PhysicalOffset begin() const noexcept override { return log_.begin(); }
  [[nodiscard]] PhysicalOffset readable() const noexcept override { return log_.readable(); }
  [[nodiscard]] std::int64_t file_bytes() const noexcept override { return log_.file_bytes(); }
  [[nodiscard]] SegmentView view_from(PhysicalOffset at) const override {
    return log_.view_from(at).view;
  }
  [[nodiscard]] PhysicalOffset next_good(PhysicalOffset at) const override;
  [[nodiscard]] std::vector<File> files() override;
  Result<void> remove_oldest() override { return log_.remove_oldest(); }

 private:
  CommitLog& log_;
};

}  // namespace mq::store
