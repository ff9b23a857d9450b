#include "net/http_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "net/pem.h"

namespace hive::net {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxIdleHandles = 8;
constexpr std::size_t kMaxErrorBodyBytes = 1U << 20;  // of a stream's answer that is not a 2xx

void init_curl_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

// A handle and the connections it keeps. Used by one thread at a time.
struct Handle {
  CURL* easy = curl_easy_init();
  CURLM* multi = curl_multi_init();
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
};

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list, line.c_str())) list = longer;
  }
};

int ou_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool subject_has_ou(X509* certificate, std::string_view wanted) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, at)) {
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (text == wanted) return true;
  }
  return false;
}

// Runs after OpenSSL's own check of the chain; at the leaf it adds the check of the subject's OU.
int verify_peer_ou(int chain_ok, X509_STORE_CTX* store) {
  if (chain_ok != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return chain_ok;
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* tls =
      static_cast<const TlsOptions*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ou_index()));
  if (tls != nullptr &&
      subject_has_ou(X509_STORE_CTX_get_current_cert(store), tls->required_peer_ou))
    return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

CURLcode install_ou_check(CURL*, void* ssl_context, void* tls) {
  auto* context = static_cast<SSL_CTX*>(ssl_context);
  SSL_CTX_set_ex_data(context, ou_index(), tls);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, verify_peer_ou);
  return CURLE_OK;
}

curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// One exchange in flight: what curl's callbacks fill.
struct Exchange {
  CURL* easy = nullptr;
  const Request* request = nullptr;
  const std::function<bool(std::string_view)>* on_bytes = nullptr;  // null: collect the body
  Response response;
  bool headers_done = false;
  bool ended_by_callback = false;
  bool too_large = false;
  std::size_t max_body = 0;
  std::size_t source_left = 0;
  std::optional<Error> source_error;
  SteadyClock::time_point last_activity = SteadyClock::now();
  std::array<char, CURL_ERROR_SIZE> error_text{};

  bool success_status() const { return response.status >= 200 && response.status < 300; }
};

void parse_header_line(std::string_view line, Exchange& exchange) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.rfind("HTTP/", 0) == 0 && line.find(':') == std::string_view::npos) {
    exchange.response.headers.clear();
    exchange.response.status = 0;
    const auto space = line.find(' ');
    if (space != std::string_view::npos)
      exchange.response.status = std::atoi(std::string(line.substr(space + 1, 3)).c_str());
    return;
  }
  if (line.empty()) {
    const bool first = !exchange.headers_done;
    exchange.headers_done = exchange.response.status >= 200;
    if (first && exchange.headers_done && exchange.request->on_headers)
      exchange.request->on_headers(exchange.response);
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  exchange.response.headers.emplace(std::move(name), value);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.last_activity = SteadyClock::now();
  parse_header_line({data, size * count}, exchange);
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  exchange.last_activity = SteadyClock::now();
  if (exchange.on_bytes != nullptr && exchange.success_status()) {
    if ((*exchange.on_bytes)({data, bytes})) return bytes;
    exchange.ended_by_callback = true;
    return 0;
  }
  if (exchange.response.body.size() + bytes > exchange.max_body) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_source(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.last_activity = SteadyClock::now();
  Result<std::size_t> got = exchange.request->body_source(buffer, size * count);
  if (got) return *got;
  exchange.source_error = std::move(got).error();
  return CURL_READFUNC_ABORT;
}

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

// A key that cannot be read is left to curl, whose error names the file.
void set_private_key(CURL* easy, const std::string& path) {
  auto key = read_private_key(path);
  if (!key) {
    set(easy, CURLOPT_SSLKEY, path.c_str());
    return;
  }
  curl_blob blob{.data = key->data(), .len = key->size(), .flags = CURL_BLOB_COPY};
  set(easy, CURLOPT_SSLKEY_BLOB, &blob);
}

void set_tls(CURL* easy, const TlsOptions& tls) {
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!tls.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (!tls.certificate_file.empty()) {
    set(easy, CURLOPT_SSLCERT, tls.certificate_file.c_str());
    set_private_key(easy, tls.key_file);
  }
  if (tls.required_peer_ou.empty()) return;
  set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  set(easy, CURLOPT_SSL_CTX_FUNCTION, install_ou_check);
  set(easy, CURLOPT_SSL_CTX_DATA, const_cast<TlsOptions*>(&tls));
}

void set_body(CURL* easy, const Request& request, Exchange& exchange) {
  if (request.method == "HEAD") set(easy, CURLOPT_NOBODY, 1L);
  if (request.body_source) {
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_READFUNCTION, on_source);
    set(easy, CURLOPT_READDATA, static_cast<void*>(&exchange));
    const auto length = request.headers.find("content-length");
    if (length != request.headers.end())
      set(easy, CURLOPT_INFILESIZE_LARGE,
          static_cast<curl_off_t>(std::strtoll(length->second.c_str(), nullptr, 10)));
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
             request.method == "PATCH") {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method != "GET" && request.method != "HEAD")
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_headers(CURL* easy, const Request& request, HeaderList& headers) {
  headers.add("Expect:");
  if (request.headers.count("content-type") == 0) headers.add("Content-Type:");
  if (request.headers.count("accept") == 0) headers.add("Accept: */*");
  for (const auto& [name, value] : request.headers) {
    if (name == "content-length" && request.body_source) continue;  // curl writes it itself
    headers.add(value.empty() ? name + ";" : name + ": " + value);
  }
  set(easy, CURLOPT_HTTPHEADER, headers.list);
}

Result<void> set_up(CURL* easy, const Target& target, const Request& request, Exchange& exchange,
                    HeaderList& headers) {
  const auto bad = [](const std::string& text) {
    return text.find_first_of("\r\n") != std::string::npos || text.find('\0') != std::string::npos;
  };
  bool injected = bad(request.path) || bad(request.method);
  for (const auto& [name, value] : request.headers) injected |= bad(name) || bad(value);
  if (injected)
    return fail(Errc::kInvalidArgument,
                "an HTTP request's path or header holds a line break or a null byte");
  curl_easy_reset(easy);  // keeps the connections
  const std::string url = target.base_url + request.path;
  set(easy, CURLOPT_URL, url.c_str());
  if (!target.unix_socket.empty()) set(easy, CURLOPT_UNIX_SOCKET_PATH, target.unix_socket.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(easy, CURLOPT_ERRORBUFFER, exchange.error_text.data());
  set(easy, CURLOPT_HEADERFUNCTION, on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  set(easy, CURLOPT_WRITEFUNCTION, on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  // The deadline is ours (drive() below); curl's own connect timeout must not be the shorter one.
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.deadline.count()) + 1'000);
  set_tls(easy, target.tls);
  set_body(easy, request, exchange);
  set_headers(easy, request, headers);
  return {};
}

Errc code_of(CURLcode code, std::string_view text) {
  const auto says = [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return Errc::kInvalidArgument;
    case CURLE_PEER_FAILED_VERIFICATION:
      return Errc::kUnauthenticated;
    case CURLE_SSL_CONNECT_ERROR:
      if (says("wrong version number") || says("packet length too long")) return Errc::kCorrupt;
      // An error of OpenSSL's own ("error:02000077:rsa routines::wrong signature"): the peer could
      // not prove who it is. Anything else is the connection's.
      return says("alert") || says("error:") ? Errc::kUnauthenticated : Errc::kUnavailable;
    case CURLE_UNSUPPORTED_PROTOCOL:  // "Received HTTP/0.9 when not allowed": not HTTP at all
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return Errc::kCorrupt;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      if (says("chunked-encoding") || says("chunk hex")) return Errc::kCorrupt;
      return says("alert") ? Errc::kUnauthenticated : Errc::kUnavailable;
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::kDeadlineExceeded;
    case CURLE_OUT_OF_MEMORY:
      return Errc::kResourceExhausted;
    default:
      return Errc::kUnavailable;
  }
}

std::string place(const Target& target, const Request& request) {
  const std::string path = request.path.substr(0, request.path.find('?'));
  return request.method + " " +
         (target.unix_socket.empty() ? target.base_url + path : target.unix_socket + " " + path);
}

Status outcome(CURLcode code, Exchange& exchange, const Target& target) {
  if (exchange.source_error) return tl::unexpected(std::move(*exchange.source_error));
  if (exchange.ended_by_callback) return {};
  const std::string where = place(target, *exchange.request);
  if (exchange.too_large)
    return fail(Errc::kResourceExhausted,
                fmt::format("{}: the answer is larger than {} bytes", where, exchange.max_body));
  if (code == CURLE_OK) return {};
  const std::string_view text = exchange.error_text.data();
  return fail(code_of(code, text),
              fmt::format("{}: {}", where, text.empty() ? curl_easy_strerror(code) : text));
}

enum class Ending { kDone, kStopped, kDeadline, kIdle };

struct Limits {
  SteadyClock::time_point deadline;
  bool deadline_until_headers = false;
  Milliseconds idle{0};
};

// The time left until the limit that applies now; nothing when there is none.
std::optional<std::pair<Milliseconds, Ending>> time_left(const Exchange& exchange,
                                                         const Limits& limits) {
  const auto now = SteadyClock::now();
  const auto until = [&](SteadyClock::time_point at) {
    return std::chrono::ceil<Milliseconds>(at - now);
  };
  if (!limits.deadline_until_headers || !exchange.headers_done || !exchange.success_status())
    return std::pair(until(limits.deadline), Ending::kDeadline);
  if (limits.idle.count() == 0) return std::nullopt;
  return std::pair(until(exchange.last_activity + limits.idle), Ending::kIdle);
}

// Runs the exchange on its handle until it ends or a limit is reached.
Ending drive(Handle& handle, const Exchange& exchange, const Limits& limits,
             const std::stop_token& stop, CURLcode& code) {
  const std::stop_callback wake(stop, [&handle] { curl_multi_wakeup(handle.multi); });
  while (true) {
    int running = 0;
    curl_multi_perform(handle.multi, &running);
    int left_in_queue = 0;
    while (const CURLMsg* message = curl_multi_info_read(handle.multi, &left_in_queue))
      if (message->msg == CURLMSG_DONE) {
        code = message->data.result;
        return Ending::kDone;
      }
    if (stop.stop_requested()) return Ending::kStopped;
    Milliseconds wait{60'000};
    if (const auto left = time_left(exchange, limits)) {
      if (left->first.count() <= 0) return left->second;
      wait = std::min(wait, left->first);
    }
    curl_multi_poll(handle.multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(Target target_in) : target(std::move(target_in)) {}

  const Target target;
  std::mutex mutex;
  std::vector<std::unique_ptr<Handle>> idle;

  std::unique_ptr<Handle> take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        auto handle = std::move(idle.back());
        idle.pop_back();
        return handle;
      }
    }
    return std::make_unique<Handle>();
  }
  void give_back(std::unique_ptr<Handle> handle) {
    const std::lock_guard lock(mutex);
    if (idle.size() < kMaxIdleHandles) idle.push_back(std::move(handle));
  }

  Result<Response> run(Exchange& exchange, const Limits& limits, const std::stop_token& stop) {
    auto handle = take();
    if (handle->easy == nullptr || handle->multi == nullptr)
      return fail(Errc::kResourceExhausted, "no memory for an HTTP handle");
    HeaderList headers;
    exchange.easy = handle->easy;
    HIVE_TRY(set_up(handle->easy, target, *exchange.request, exchange, headers));
    curl_multi_add_handle(handle->multi, handle->easy);
    CURLcode code = CURLE_OK;
    const Ending ending = drive(*handle, exchange, limits, stop, code);
    // Closes the connection when the exchange was cut short, keeps it otherwise.
    curl_multi_remove_handle(handle->multi, handle->easy);
    curl_easy_reset(handle->easy);
    give_back(std::move(handle));
    HIVE_TRY(judge(ending, code, exchange, limits));
    return std::move(exchange.response);
  }

  Status judge(Ending ending, CURLcode code, Exchange& exchange, const Limits& limits) {
    switch (ending) {
      case Ending::kDone:
        return outcome(code, exchange, target);
      case Ending::kStopped:
        if (exchange.headers_done) return {};
        return fail(Errc::kCancelled, place(target, *exchange.request) + ": stopped");
      case Ending::kDeadline:
        return fail(Errc::kDeadlineExceeded,
                    fmt::format("{}: no {} within {} ms", place(target, *exchange.request),
                                exchange.headers_done ? "complete answer" : "answer",
                                exchange.request->deadline.count()));
      case Ending::kIdle:
        return fail(Errc::kDeadlineExceeded,
                    fmt::format("{}: nothing more arrived for {} ms",
                                place(target, *exchange.request), limits.idle.count()));
    }
    return fail(Errc::kInternal, "unknown ending of an HTTP exchange");
  }
};

HttpClient::HttpClient(Target target) {
  init_curl_once();
  impl_ = std::make_unique<Impl>(std::move(target));
}
HttpClient::~HttpClient() = default;

Result<Response> HttpClient::send(const Request& request) {
  Exchange exchange;
  exchange.request = &request;
  exchange.max_body = request.max_response_bytes;
  Limits limits;
  limits.deadline = SteadyClock::now() + request.deadline;
  return impl_->run(exchange, limits, {});
}

Result<Response> HttpClient::stream(const Request& request,
                                    const std::function<bool(std::string_view)>& on_bytes,
                                    const std::stop_token& stop, Milliseconds idle_timeout) {
  if (stop.stop_requested()) return fail(Errc::kCancelled, "stopped before the request was sent");
  Exchange exchange;
  exchange.request = &request;
  exchange.on_bytes = &on_bytes;
  exchange.max_body = std::min(request.max_response_bytes, kMaxErrorBodyBytes);
  Limits limits;
  limits.deadline = SteadyClock::now() + request.deadline;
  limits.deadline_until_headers = true;
  limits.idle = idle_timeout;
  return impl_->run(exchange, limits, stop);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace hive::net
