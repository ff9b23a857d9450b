#include "cloud/aws/client.h"

#include <algorithm>
#include <ctime>
#include <iomanip>
#include <iterator>
#include <locale>
#include <set>
#include <sstream>
#include <utility>

#include "cloud/aws/sigv4.h"

namespace hive::cloud::aws {
namespace {

// Of the standard retry mode.
constexpr int kTokens = 500;
constexpr int kRetryCost = 5;
constexpr int kTimeoutCost = 10;
constexpr Milliseconds kFirstWait{200};
constexpr Milliseconds kLongestWait{20'000};
// Signatures are taken within five minutes of AWS's time.
constexpr std::chrono::seconds kClockTolerance{240};
constexpr std::size_t kMaxAnswerBytes = 32U << 20;
constexpr std::size_t kMaxPages = 1'000;
constexpr std::string_view kSkewCodes[] = {
    "RequestExpired",        "RequestTimeTooSkewed",      "RequestInTheFuture",
    "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"};

bool blames_clock(const Fault& fault) {
  return std::find(std::begin(kSkewCodes), std::end(kSkewCodes), fault.code) !=
         std::end(kSkewCodes);
}

bool fault_passes(FaultKind kind, int status) {
  if (kind == FaultKind::kThrottled || kind == FaultKind::kPassing) return true;
  return kind == FaultKind::kOther &&
         (status == 429 || status == 500 || status == 502 || status == 503 || status == 504);
}

// "Sat, 29 Nov 2026 02:05:32 GMT"
std::optional<WallTime> http_date(const net::Response& response) {
  const auto header = response.headers.find("date");
  if (header == response.headers.end()) return std::nullopt;
  std::tm parts{};
  std::istringstream in(header->second);
  in.imbue(std::locale::classic());
  in >> std::get_time(&parts, "%a, %d %b %Y %H:%M:%S");
  if (in.fail()) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

struct Client::Attempt {
  Result<net::Response> outcome;
  bool again = false;
  int cost = kRetryCost;
};

Client::Client(ClientOptions options)
    : options_(std::move(options)),
      credentials_({.environment = options_.environment,
                    .profile = options_.profile,
                    .clock = options_.clock}),
      random_(options_.seed),
      tokens_(kTokens) {}

Client::~Client() = default;

Result<Endpoint> Client::endpoint(Service service) {
  std::lock_guard lock(mutex_);
  const auto known = endpoints_.find(service);
  if (known != endpoints_.end()) return known->second;
  HIVE_ASSIGN(auto found,
              endpoint_of(service, options_.region, options_.environment, options_.profile));
  return endpoints_[service] = std::move(found);
}

net::HttpClient& Client::connection(const std::string& base_url) {
  std::lock_guard lock(mutex_);
  auto& slot = connections_[base_url];
  if (!slot) slot = std::make_unique<net::HttpClient>(net::Target{.base_url = base_url});
  return *slot;
}

bool Client::take_tokens(int cost) {
  std::lock_guard lock(mutex_);
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void Client::give_token() {
  std::lock_guard lock(mutex_);
  tokens_ = std::min(kTokens, tokens_ + 1);
}

Milliseconds Client::jittered(int attempts) {
  std::lock_guard lock(mutex_);
  const auto ceiling =
      std::min<long long>(kLongestWait.count(), kFirstWait.count() << std::min(attempts - 1, 16));
  return Milliseconds(
      static_cast<long long>(random_.below(static_cast<std::uint64_t>(ceiling) + 1)));
}

void Client::learn_clock(const net::Response& response, WallTime sent) {
  const auto theirs = http_date(response);
  if (!theirs) return;
  std::lock_guard lock(mutex_);
  clock_offset_ = std::chrono::duration_cast<std::chrono::seconds>(*theirs - sent);
}

WallTime Client::signing_time() {
  std::lock_guard lock(mutex_);
  return options_.clock->wall_now() + clock_offset_;
}

Client::Attempt Client::attempt(const Operation& operation, const Endpoint& endpoint,
                                net::Request request) {
  const auto credentials = credentials_.get();
  if (!credentials) return {tl::unexpected(credentials.error())};
  const auto& service = info_of(operation.service);
  const WallTime signed_at = signing_time();
  sign(request, endpoint.host, *credentials,
       {.region = endpoint.signing_region, .service = std::string(service.signing_name)},
       signed_at);
  auto response = connection(endpoint.base_url).send(request);
  const std::string where = std::string(service.name) + " " + std::string(operation.name);
  if (!response) {
    const Errc code = response.error().code;
    const bool again = code == Errc::kUnavailable || code == Errc::kDeadlineExceeded;
    return {annotate(response.error(), where), again,
            code == Errc::kDeadlineExceeded ? kTimeoutCost : kRetryCost};
  }
  if (response->status >= 200 && response->status < 300) return {std::move(response)};
  const Fault fault = read_fault(*response);
  bool again = fault_passes(kind_of(fault), fault.status);
  if (const auto theirs = http_date(*response); blames_clock(fault) && theirs) {
    const auto apart = std::chrono::abs(*theirs - signed_at);
    if (apart > kClockTolerance) {
      learn_clock(*response, options_.clock->wall_now());
      again = true;
    }
  }
  return {tl::unexpected(to_error(fault, service.name, operation.name, iam_action(operation))),
          again};
}

Result<net::Response> Client::call(const Operation& operation, net::Request request) {
  HIVE_ASSIGN(const Endpoint endpoint, this->endpoint(operation.service));
  request.method = "POST";
  request.path = "/";
  request.deadline = options_.deadline;
  request.max_response_bytes = kMaxAnswerBytes;
  request.headers.emplace("user-agent", "hive");
  for (int attempts = 1;; ++attempts) {
    auto one = attempt(operation, endpoint, request);
    if (one.outcome) {
      give_token();
      return std::move(one.outcome);
    }
    if (!one.again || attempts >= options_.max_attempts || !take_tokens(one.cost))
      return std::move(one.outcome);
    const auto wait =
        std::max(jittered(attempts),
                 std::min(kLongestWait, one.outcome.error().retry_after.value_or(Milliseconds(0))));
    if (!options_.pause(wait))
      return annotate({Errc::kCancelled, one.outcome.error().message, {}}, "interrupted");
  }
}

Result<Element> Client::query(Op op, const Form& form) {
  const Operation& operation = aws::operation(op);
  Form whole;
  whole.set("Action", std::string(operation.name));
  whole.set("Version", std::string(info_of(operation.service).version));
  net::Request request;
  request.body = whole.encoded();
  if (const auto rest = form.encoded(); !rest.empty()) request.body += "&" + rest;
  request.headers.emplace("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  HIVE_ASSIGN(const auto response, call(operation, std::move(request)));
  auto root = parse_xml(response.body);
  const std::string where =
      std::string(info_of(operation.service).name) + " " + std::string(operation.name);
  if (!root) return annotate(root.error(), where);
  if (root->name != std::string(operation.name) + "Response")
    return fail(Errc::kCorrupt, where + ": the answer is <" + root->name + ">");
  if (const Element* result = root->child(std::string(operation.name) + "Result")) return *result;
  return root;
}

Result<std::vector<Element>> Client::query_all(Op op, const Form& form) {
  const Operation& operation = aws::operation(op);
  std::vector<Element> pages;
  std::set<std::string> seen;
  std::string token;
  do {
    Form one = form;
    one.set_unless_empty(std::string(operation.token_in), token);
    HIVE_ASSIGN(auto page, query(op, one));
    token = operation.token_out.empty() ? "" : page.text_at(operation.token_out);
    pages.push_back(std::move(page));
    if (!token.empty() && (!seen.insert(token).second || pages.size() >= kMaxPages))
      return fail(Errc::kCorrupt, std::string(operation.name) + ": its pages do not end");
  } while (!token.empty());
  return pages;
}

Result<Json> Client::json(Op op, const Json& body) {
  const Operation& operation = aws::operation(op);
  const auto& service = info_of(operation.service);
  net::Request request;
  request.body = body.dump();
  request.headers.emplace("content-type", "application/x-amz-json-1.1");
  request.headers.emplace("x-amz-target",
                          std::string(service.target) + "." + std::string(operation.name));
  HIVE_ASSIGN(const auto response, call(operation, std::move(request)));
  const std::string where = std::string(service.name) + " " + std::string(operation.name);
  auto parsed = parse_json(response.body, "the answer");
  // The answer may hold a secret (a token, a parameter): it is not shown.
  if (!parsed || !parsed->is_object())
    return fail(Errc::kCorrupt, where + ": the answer is no JSON object");
  return parsed;
}

Result<std::vector<Json>> Client::json_all(Op op, const Json& body) {
  const Operation& operation = aws::operation(op);
  std::vector<Json> pages;
  std::set<std::string> seen;
  Json one = body;
  for (;;) {
    HIVE_ASSIGN(auto page, json(op, one));
    const auto token = json_string(page, operation.token_out);
    pages.push_back(std::move(page));
    if (token.empty()) return pages;
    if (!seen.insert(token).second || pages.size() >= kMaxPages)
      return fail(Errc::kCorrupt, std::string(operation.name) + ": its pages do not end");
    one[std::string(operation.token_in)] = token;
  }
}

}  // namespace hive::cloud::aws
