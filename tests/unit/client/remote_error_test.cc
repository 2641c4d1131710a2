// What the answers of a broker mean to a tool.
#include "client/remote_error.h"

#include <gtest/gtest.h>

namespace mq::client {
namespace {

Error error_of(std::int32_t code, std::string_view remark = {}) {
  wire::Command answer;
  answer.code = code;
  answer.remark = remark;
  return remote_error("unix:/run/s", answer);
}

TEST(RemoteError, NamesPeerCodeAndRemark) {
  EXPECT_EQ(error_of(14, "disk 92% full, writes stop at 90%").text(),
            "unix:/run/s: SERVICE_NOT_AVAILABLE (14): disk 92% full, writes stop at 90%; see "
            "mq-errors(7)");
  EXPECT_EQ(error_of(17).text(), "unix:/run/s: TOPIC_NOT_EXIST (17); see mq-errors(7)");
}

TEST(RemoteError, SaysWhatTheReceiverCanDo) {
  EXPECT_EQ(error_of(17).code(), Errc::kNotFound);
  EXPECT_EQ(error_of(22).code(), Errc::kNotFound);
  EXPECT_EQ(error_of(2).code(), Errc::kBusy);
  EXPECT_EQ(error_of(14).code(), Errc::kBusy);
  EXPECT_EQ(error_of(16).code(), Errc::kDenied);
  EXPECT_EQ(error_of(13).code(), Errc::kInvalid);
  EXPECT_EQ(error_of(29).code(), Errc::kInvalid);
  EXPECT_EQ(error_of(3).code(), Errc::kUnsupported);
  EXPECT_EQ(error_of(1).code(), Errc::kRemote);
  EXPECT_EQ(error_of(9999).code(), Errc::kRemote);
}

}  // namespace
}  // namespace mq::client
