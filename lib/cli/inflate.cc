#include "cli/inflate.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

namespace mq::cli {
namespace {

constexpr std::size_t kStepBytes = 64 << 10;

Error too_large() {
  return Error{Errc::kCorrupt, fmt::format("body inflates beyond {} bytes", kInflatedBytesMax)};
}

// Grows `out` for the next step; false when the bound is reached.
bool make_room(std::string& out, std::size_t used) {
  if (used < out.size()) return true;
  if (out.size() >= kInflatedBytesMax) return false;
  out.resize(std::min(kInflatedBytesMax, std::max(kStepBytes, out.size() * 2)));
  return true;
}

Result<void> inflate_zlib(Bytes in, std::string& out) {
  z_stream z{};
  if (inflateInit(&z) != Z_OK) return Error{Errc::kUnavailable, "zlib: no memory"};
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&z, inflateEnd);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // zlib reads only
  z.avail_in = static_cast<uInt>(in.size());
  std::size_t used = 0;
  int rc = Z_OK;
  while (rc != Z_STREAM_END) {
    if (!make_room(out, used)) return too_large();
    z.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    z.avail_out = static_cast<uInt>(out.size() - used);
    rc = inflate(&z, Z_NO_FLUSH);
    used = out.size() - z.avail_out;
    if (rc != Z_OK && rc != Z_STREAM_END && !(rc == Z_BUF_ERROR && z.avail_out == 0)) {
      return Error{Errc::kCorrupt, fmt::format("body is not a zlib stream: {}",
                                               z.msg == nullptr ? "it ends early" : z.msg)};
    }
    if (rc == Z_OK && z.avail_in == 0 && z.avail_out != 0)
      return Error{Errc::kCorrupt, "body: zlib stream ends early"};
  }
  out.erase(used);
  return {};
}

Result<void> inflate_lz4(Bytes in, std::string& out) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
    return Error{Errc::kUnavailable, "lz4: no memory"};
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> end(
      context, LZ4F_freeDecompressionContext);
  std::size_t used = 0;
  std::size_t taken = 0;
  std::size_t hint = 1;
  while (hint != 0) {
    if (!make_room(out, used)) return too_large();
    std::size_t produced = out.size() - used;
    std::size_t consumed = in.size() - taken;
    hint = LZ4F_decompress(context, out.data() + used, &produced, in.data() + taken, &consumed,
                           nullptr);
    if (LZ4F_isError(hint) != 0)
      return Error{Errc::kCorrupt,
                   fmt::format("body is not an lz4 frame: {}", LZ4F_getErrorName(hint))};
    used += produced;
    taken += consumed;
    if (hint != 0 && produced == 0 && consumed == 0 && used < out.size()) {
      return Error{Errc::kCorrupt, "body: lz4 frame ends early"};
    }
  }
  out.erase(used);
  return {};
}

Result<void> inflate_zstd(Bytes in, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  if (context == nullptr) return Error{Errc::kUnavailable, "zstd: no memory"};
  ZSTD_inBuffer source{in.data(), in.size(), 0};
  std::size_t used = 0;
  std::size_t hint = 1;
  while (hint != 0) {
    if (!make_room(out, used)) return too_large();
    ZSTD_outBuffer target{out.data() + used, out.size() - used, 0};
    hint = ZSTD_decompressStream(context.get(), &target, &source);
    if (ZSTD_isError(hint) != 0)
      return Error{Errc::kCorrupt,
                   fmt::format("body is not a zstd frame: {}", ZSTD_getErrorName(hint))};
    used += target.pos;
    if (hint != 0 && source.pos == source.size && target.pos < target.size) {
      return Error{Errc::kCorrupt, "body: zstd frame ends early"};
    }
  }
  out.erase(used);
  return {};
}

}  // namespace

Result<Bytes> message_body(const format::Record& record, std::string& buffer) {
  if ((record.sys_flag & format::kFlagCompressed) == 0 || record.body.empty()) return record.body;
  buffer.clear();
  const int kind = (record.sys_flag & format::kFlagCompressionMask) >> 8;
  switch (kind) {
    case 0:  // old producers set no kind
    case 3:
      MQ_CHECK(inflate_zlib(record.body, buffer));
      break;
    case 1:
      MQ_CHECK(inflate_lz4(record.body, buffer));
      break;
    case 2:
      MQ_CHECK(inflate_zstd(record.body, buffer));
      break;
    default:
      return Error{Errc::kUnsupported, fmt::format("body: compression kind {} is not known", kind)};
  }
  return as_bytes(buffer);
}

}  // namespace mq::cli
