// Connections that start with something else than a frame: TLS on the same port, PROXY headers.
// Method: a real server on loopback that echoes frames, and OpenSSL as the client.
#include <array>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include "net/server.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_keys.h"
#include "wire/command.h"

namespace mq::net {
namespace {

constexpr std::int64_t kPatienceMs = 20'000;

// Answers each frame with its body; the remark says whom it came from.
class Echo final : public Handler {
 public:
  void on_frame(Connection& connection, Bytes frame) override {
    wire::Command request;
    if (!wire::decode_command(frame, request)) return connection.close();
    const std::string from = connection.peer_ip() + ":" + std::to_string(connection.peer_port());
    wire::append_frame(connection.out(), wire::answer_to(request, 0, from), {}, request.body);
  }
};

std::string request(std::string_view body) {
  std::string out;
  wire::append_frame(out, {.code = 7, .opaque = 3}, {}, as_bytes(body));
  return out;
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// A key and a certificate for it, as files; signed by itself.
struct Identity {
  std::string key_path, certificate_path;
};
Identity make_identity(const std::string& directory, const std::string& name) {
  Identity out{directory + "/" + name + ".key", directory + "/" + name + ".pem"};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  std::FILE* f = std::fopen(out.key_path.c_str(), "we");
  PEM_write_PrivateKey(f, key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                       const_cast<char*>("secret"));
  std::fclose(f);
  f = std::fopen(out.certificate_path.c_str(), "we");
  PEM_write_X509(f, certificate.get());
  std::fclose(f);
  return out;
}

class SecuredTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mq-tls.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    if (server_) server_->stop(0);
    std::filesystem::remove_all(directory_);
  }

  void serve(std::optional<TlsOptions> options) {
    Server::Options server_options;
    server_options.threads = 1;
    if (options) {
      auto tls = TlsContext::create(*options);
      ASSERT_TRUE(tls) << tls.error();
      server_options.tls = *tls;
    }
    auto server = Server::create(server_options, echo_);
    ASSERT_TRUE(server) << server.error();
    server_ = *std::move(server);
    auto bound = server_->listen(*parse_address("127.0.0.1:0"));
    ASSERT_TRUE(bound) << bound.error();
    address_ = *bound;
    server_->start();
  }

  Stream connect() {
    auto stream = Stream::connect(address_, kPatienceMs);
    EXPECT_TRUE(stream) << stream.error();
    return *std::move(stream);
  }
  static void send(Stream& stream, std::string_view text) {
    const Bytes piece = as_bytes(text);
    EXPECT_TRUE(stream.write_all({&piece, 1}, kPatienceMs));
  }
  // What the answer says: body and remark; nothing when the peer closed.
  static std::optional<std::pair<std::string, std::string>> answer_in(std::string& in) {
    const auto whole = wire::frame_bytes(as_bytes(in));
    if (!whole || *whole == 0 || in.size() < *whole) return std::nullopt;
    wire::Command command;
    if (!wire::decode_command(as_bytes(in).first(*whole), command)) return std::nullopt;
    auto out = std::pair(std::string(as_text(command.body)), std::string(command.remark));
    in.erase(0, *whole);
    return out;
  }
  static std::optional<std::pair<std::string, std::string>> receive(Stream& stream) {
    std::string in;
    std::array<std::byte, 65536> step{};
    for (;;) {
      if (auto answer = answer_in(in)) return answer;
      const auto got = stream.read_some(step, kPatienceMs);
      if (!got) return std::nullopt;
      in.append(as_text(Bytes(step).first(*got)));
    }
  }

  // A TLS client on a blocking socket.
  struct TlsClient {
    Stream stream;
    std::unique_ptr<SSL_CTX, FreeSsl> context;
    std::unique_ptr<SSL, FreeSsl> ssl;
    bool connected = false;
  };
  TlsClient connect_tls(std::string_view first = {}, const Identity* identity = nullptr) {
    TlsClient out{
        connect(), std::unique_ptr<SSL_CTX, FreeSsl>(SSL_CTX_new(TLS_client_method())), {}};
    if (!first.empty()) send(out.stream, first);
    const int fd = out.stream.descriptor();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (identity != nullptr) {
      SSL_CTX_set_default_passwd_cb_userdata(out.context.get(), const_cast<char*>("secret"));
      EXPECT_EQ(SSL_CTX_use_certificate_file(out.context.get(), identity->certificate_path.c_str(),
                                             SSL_FILETYPE_PEM),
                1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(out.context.get(), identity->key_path.c_str(),
                                            SSL_FILETYPE_PEM),
                1);
    }
    out.ssl.reset(SSL_new(out.context.get()));
    SSL_set_fd(out.ssl.get(), fd);
    out.connected = SSL_connect(out.ssl.get()) == 1;
    return out;
  }
  static std::optional<std::pair<std::string, std::string>> ask(TlsClient& client,
                                                                std::string_view body) {
    const std::string out = request(body);
    // With TLS 1.3 a server that refuses the certificate says so only now.
    if (SSL_write(client.ssl.get(), out.data(), static_cast<int>(out.size())) <= 0)
      return std::nullopt;
    std::string in;
    std::array<char, 65536> step{};
    for (;;) {
      if (auto answer = answer_in(in)) return answer;
      const int got = SSL_read(client.ssl.get(), step.data(), step.size());
      if (got <= 0) return std::nullopt;
      in.append(step.data(), static_cast<std::size_t>(got));
    }
  }

  std::string directory_;
  Echo echo_;
  std::unique_ptr<Server> server_;
  Address address_;
};

TEST_F(SecuredTest, OnePortServesPlainAndEncryptedConnections) {
  serve(TlsOptions());
  Stream plain = connect();
  TlsClient secured = connect_tls();
  ASSERT_TRUE(secured.connected);
  send(plain, request("in the clear"));
  EXPECT_EQ(receive(plain)->first, "in the clear");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(secured, "secret")->first, "secret");
  EXPECT_TRUE(ask(secured, "x")->second.starts_with("127.0.0.1:"));
}

TEST_F(SecuredTest, LargeFramesGoBothWays) {
  serve(TlsOptions());
  TlsClient client = connect_tls();
  ASSERT_TRUE(client.connected);
  std::string body(5 << 20, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 + i / 4096);
  const auto answer = ask(client, body);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->first == body);
}

TEST_F(SecuredTest, ModesRefuseOneOrTheOther) {
  serve(TlsOptions{.mode = TlsMode::kDisabled});
  EXPECT_FALSE(connect_tls().connected);
  Stream plain = connect();
  send(plain, request("a"));
  EXPECT_TRUE(receive(plain));
  server_->stop(0);
  serve(TlsOptions{.mode = TlsMode::kEnforcing});
  Stream refused = connect();
  send(refused, request("a"));
  EXPECT_FALSE(receive(refused));
  TlsClient client = connect_tls();
  ASSERT_TRUE(client.connected);
  EXPECT_TRUE(ask(client, "a"));
  server_->stop(0);
  serve(std::nullopt);
  EXPECT_FALSE(connect_tls().connected);
}

TEST_F(SecuredTest, AConfiguredCertificateIsShown) {
  const Identity identity = make_identity(directory_, "broker.example");
  serve(TlsOptions{.key_path = identity.key_path,
                   .key_password = "secret",
                   .certificate_path = identity.certificate_path});
  TlsClient client = connect_tls();
  ASSERT_TRUE(client.connected);
  const std::unique_ptr<X509, decltype(&X509_free)> shown(
      SSL_get1_peer_certificate(client.ssl.get()), X509_free);
  std::array<char, 64> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name.data(),
                            name.size());
  EXPECT_STREQ(name.data(), "broker.example");
}

TEST_F(SecuredTest, ClientsShowCertificatesThatSomebodyTrustedHasSigned) {
  const Identity trusted = make_identity(directory_, "trusted");
  const Identity stranger = make_identity(directory_, "stranger");
  serve(TlsOptions{.client_auth = TlsOptions::ClientAuth::kRequire,
                   .check_clients = true,
                   .trusted_path = trusted.certificate_path});
  const auto gets_through = [&](const Identity* who) {
    TlsClient client = connect_tls({}, who);
    return client.connected && ask(client, "a").has_value();
  };
  EXPECT_TRUE(gets_through(&trusted));
  EXPECT_FALSE(gets_through(&stranger));
  EXPECT_FALSE(gets_through(nullptr));
  server_->stop(0);
  serve(TlsOptions{.client_auth = TlsOptions::ClientAuth::kRequire});
  EXPECT_TRUE(gets_through(&stranger));
  EXPECT_FALSE(gets_through(nullptr));
}

TEST_F(SecuredTest, FilesThatAreWrongAreNamed) {
  const Identity identity = make_identity(directory_, "a");
  const auto error_of = [](const TlsOptions& options) {
    auto tls = TlsContext::create(options);
    return tls ? std::string() : tls.error().text();
  };
  EXPECT_NE(error_of({.key_path = "/nowhere.key", .certificate_path = identity.certificate_path})
                .find("/nowhere.key"),
            std::string::npos);
  EXPECT_NE(error_of({.key_path = identity.key_path,
                      .key_password = "wrong",
                      .certificate_path = identity.certificate_path})
                .find(identity.key_path),
            std::string::npos);
  EXPECT_NE(error_of({.client_auth = TlsOptions::ClientAuth::kRequire, .check_clients = true}), "");
  EXPECT_NE(error_of({.ciphers = "no-such-cipher"}), "");
  EXPECT_NE(error_of({.protocols = "SSLv3"}), "");
  EXPECT_EQ(error_of({.protocols = "TLSv1.2"}), "");
}

TEST_F(SecuredTest, WithoutKeyAndWithoutLeaveToMakeOneThereIsNoTls) {
  serve(TlsOptions{.self_signed = false});
  EXPECT_FALSE(connect_tls().connected);
  Stream plain = connect();
  send(plain, request("a"));
  EXPECT_TRUE(receive(plain));
}

TEST_F(SecuredTest, NoiseInsideASessionCostsThatConnection) {
  serve(TlsOptions());
  Stream noise = connect();
  send(noise, std::string("\x16\x03\x01\x00\x05noise", 10));
  EXPECT_FALSE(receive(noise));
  TlsClient client = connect_tls();
  ASSERT_TRUE(ask(client, "a"));
  send(client.stream, "not sealed at all, not a bit of it, and long enough to be a record");
  std::array<char, 16> step{};
  EXPECT_LE(SSL_read(client.ssl.get(), step.data(), step.size()), 0);
  TlsClient other = connect_tls();
  EXPECT_TRUE(ask(other, "a"));
}

TEST_F(SecuredTest, AProxyHeaderSaysWhomAConnectionComesFrom) {
  serve(TlsOptions());
  const std::string header = "PROXY TCP4 10.1.2.3 10.0.0.1 40000 10911\r\n";
  Stream whole = connect();
  send(whole, header + request("a"));
  EXPECT_EQ(receive(whole)->second, "10.1.2.3:40000");
  Stream pieces = connect();
  for (const char c : header + request("b")) {
    send(pieces, std::string_view(&c, 1));
    // So that the server sees it in pieces, too: most of them at least.
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const auto answer = receive(pieces);
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, std::pair(std::string("b"), std::string("10.1.2.3:40000")));
  TlsClient secured = connect_tls(header);
  ASSERT_TRUE(secured.connected);
  EXPECT_EQ(ask(secured, "c")->second, "10.1.2.3:40000");
  Stream twice = connect();
  send(twice, header + header + request("d"));
  EXPECT_FALSE(receive(twice));
  Stream wrong = connect();
  send(wrong, "PROXY TCP4 nobody\r\n" + request("e"));
  EXPECT_FALSE(receive(wrong));
}

TEST(TlsKeys, SetWhatTheyNameAndDoNotShowPasswords) {
  TlsOptions options;
  const auto& keys = tls_keys();
  const auto set = [&](std::string_view name, std::string_view value) {
    for (const TlsKey& key : keys)
      if (name == key.name) return key.set(options, value);
    return Result<void>(Error{Errc::kNotFound});
  };
  EXPECT_TRUE(set("tls.server.mode", "enforcing"));
  EXPECT_EQ(options.mode, TlsMode::kEnforcing);
  EXPECT_FALSE(set("tls.server.mode", "sometimes"));
  EXPECT_TRUE(set("tls.server.need.client.auth", "optional"));
  EXPECT_EQ(options.client_auth, TlsOptions::ClientAuth::kOptional);
  EXPECT_TRUE(set("tls.server.keyPassword", "secret"));
  EXPECT_TRUE(set("tls.test.mode.enable", "false"));
  EXPECT_FALSE(set("tls.test.mode.enable", "no"));
  EXPECT_FALSE(options.self_signed);
  for (const TlsKey& key : keys) EXPECT_EQ(key.get(options).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace mq::net
