#include "wire/signature.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/base64.h"

namespace mq::wire {
namespace {

constexpr std::string_view kUniqueQueryField = "_UNIQUE_KEY_QUERY";
constexpr std::int32_t kVersionWithoutUniqueQuery = 399;  // V4_9_3
constexpr std::size_t kSha1Bytes = 20;

// One an I/O thread: OpenSSL's own parts are made once.
class HmacSha1 {
 public:
  HmacSha1() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free) {
    if (mac_) context_.reset(EVP_MAC_CTX_new(mac_.get()));
  }
  // False when OpenSSL has no HMAC-SHA1.
  [[nodiscard]] bool start(std::string_view secret) {
    std::string digest = "SHA1";
    const std::array<OSSL_PARAM, 2> how = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    return context_ &&
           EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(secret.data()),
                        secret.size(), how.data()) == 1;
  }
  [[nodiscard]] bool add(Bytes bytes) {
    return bytes.empty() ||
           EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                          bytes.size()) == 1;
  }
  [[nodiscard]] bool finish(std::array<std::byte, kSha1Bytes>& out) {
    std::size_t bytes = 0;
    return EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &bytes,
                         out.size()) == 1 &&
           bytes == out.size();
  }

 private:
  std::unique_ptr<EVP_MAC, void (*)(EVP_MAC*)> mac_;
  std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)> context_{nullptr, EVP_MAC_CTX_free};
};

}  // namespace

std::string_view access_key_of(const Command& request) noexcept {
  return request.ext.find(kAccessKeyField).value_or("");
}

Result<void> append_signature(std::string& out, const Command& request, std::string_view secret) {
  thread_local HmacSha1 hmac;
  using Pair = std::pair<std::string_view, std::string_view>;
  thread_local std::vector<const Pair*>
      fields;  // in order of their names; the last of a name counts
  fields.clear();
  for (const Pair& field : request.ext) {
    if (field.first == kSignatureField) continue;
    if (field.first == kUniqueQueryField && request.version <= kVersionWithoutUniqueQuery) continue;
    fields.push_back(&field);
  }
  std::sort(fields.begin(), fields.end(), [](const Pair* a, const Pair* b) {
    return a->first != b->first ? a->first < b->first : a < b;
  });
  std::array<std::byte, kSha1Bytes> digest{};
  bool done = hmac.start(secret);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i + 1 < fields.size() && fields[i + 1]->first == fields[i]->first) continue;
    done = done && hmac.add(as_bytes(fields[i]->second));
  }
  if (!done || !hmac.add(request.body) || !hmac.finish(digest))
    return Error{Errc::kUnavailable, "OpenSSL computes no HMAC-SHA1 here"};
  append_base64(out, digest);
  return {};
}

bool is_signed_with(const Command& request, std::string_view secret) {
  const std::string_view given = request.ext.find(kSignatureField).value_or("");
  thread_local std::string expected;
  expected.clear();
  return append_signature(expected, request, secret) && given.size() == expected.size() &&
         CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

Result<void> append_signed_frame(std::string& out, Bytes frame, const Credentials& credentials) {
  Command request;
  MQ_CHECK(decode_command(frame, request));
  if (request.is_response()) {
    out += as_text(frame);
    return {};
  }
  request.ext.add(kAccessKeyField, credentials.access_key);
  std::string signature;
  MQ_CHECK(append_signature(signature, request, credentials.secret));
  request.ext.add(kSignatureField, signature);
  std::vector<Field> fields;
  for (const auto& [name, value] : request.ext) fields.emplace_back(name, value);
  append_frame(out,
               {.serialize = request.serialize,
                .language = request.language,
                .code = request.code,
                .opaque = request.opaque,
                .flag = request.flag,
                .remark = request.remark},
               fields, request.body);
  return {};
}

}  // namespace mq::wire
