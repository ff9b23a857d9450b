#include "cloud/aws/fault.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/json.h"
#include "cloud/aws/xml.h"

namespace hive::cloud::aws {
namespace {

constexpr Milliseconds kCapacityWait{60'000};
constexpr Milliseconds kInUseWait{5'000};

struct Row {
  std::string_view code;
  FaultKind kind;
};

constexpr Row kCodes[] = {
    {"Throttling", FaultKind::kThrottled},
    {"ThrottlingException", FaultKind::kThrottled},
    {"ThrottledException", FaultKind::kThrottled},
    {"RequestThrottledException", FaultKind::kThrottled},
    {"RequestThrottled", FaultKind::kThrottled},
    {"TooManyRequestsException", FaultKind::kThrottled},
    {"RequestLimitExceeded", FaultKind::kThrottled},
    {"BandwidthLimitExceeded", FaultKind::kThrottled},
    {"SlowDown", FaultKind::kThrottled},
    {"EC2ThrottledException", FaultKind::kThrottled},
    {"RequestTimeout", FaultKind::kPassing},
    {"RequestTimeoutException", FaultKind::kPassing},
    {"PriorRequestNotComplete", FaultKind::kPassing},
    {"InternalError", FaultKind::kPassing},
    {"InternalFailure", FaultKind::kPassing},
    {"ServiceUnavailable", FaultKind::kPassing},
    {"Unavailable", FaultKind::kPassing},
    {"ServerException", FaultKind::kPassing},
    {"AuthFailure", FaultKind::kUnauthenticated},
    {"InvalidClientTokenId", FaultKind::kUnauthenticated},
    {"UnrecognizedClientException", FaultKind::kUnauthenticated},
    {"SignatureDoesNotMatch", FaultKind::kUnauthenticated},
    {"InvalidSignatureException", FaultKind::kUnauthenticated},
    {"IncompleteSignature", FaultKind::kUnauthenticated},
    {"MissingAuthenticationToken", FaultKind::kUnauthenticated},
    {"ExpiredToken", FaultKind::kUnauthenticated},
    {"ExpiredTokenException", FaultKind::kUnauthenticated},
    {"RequestExpired", FaultKind::kUnauthenticated},
    {"OptInRequired", FaultKind::kUnauthenticated},
    {"UnauthorizedOperation", FaultKind::kDenied},
    {"AccessDenied", FaultKind::kDenied},
    {"AccessDeniedException", FaultKind::kDenied},
    {"NoSuchEntity", FaultKind::kNotFound},
    {"LoadBalancerNotFound", FaultKind::kNotFound},
    {"AccessPointNotFound", FaultKind::kNotFound},  // Classic ELB's wire name of it
    {"InvalidInstance", FaultKind::kNotFound},      // of Classic ELB
    {"TargetGroupNotFound", FaultKind::kNotFound},
    {"ListenerNotFound", FaultKind::kNotFound},
    {"InvalidTarget", FaultKind::kNotFound},  // no such instance, or it does not run
    {"RepositoryNotFoundException", FaultKind::kNotFound},
    {"LifecyclePolicyNotFoundException", FaultKind::kNotFound},
    {"ParameterNotFound", FaultKind::kNotFound},
    // The token of a launch stands for another one, or for a machine that has ended.
    {"IdempotentParameterMismatch", FaultKind::kExists},
    {"IdempotentInstanceTerminated", FaultKind::kExists},
    {"EntityAlreadyExists", FaultKind::kExists},
    {"AlreadyExists", FaultKind::kExists},
    {"InvalidGroup.Duplicate", FaultKind::kExists},
    {"InvalidPermission.Duplicate", FaultKind::kExists},
    {"DuplicateLoadBalancerName", FaultKind::kExists},
    {"DuplicateAccessPointName", FaultKind::kExists},
    {"DuplicateListener", FaultKind::kExists},
    {"DuplicateTargetGroupName", FaultKind::kExists},
    {"RepositoryAlreadyExistsException", FaultKind::kExists},
    {"ParameterAlreadyExists", FaultKind::kExists},
    {"InvalidLaunchTemplateName.AlreadyExistsException", FaultKind::kExists},
    {"InsufficientInstanceCapacity", FaultKind::kCapacity},
    {"InsufficientHostCapacity", FaultKind::kCapacity},
    {"InsufficientReservedInstanceCapacity", FaultKind::kCapacity},
    {"InsufficientCapacity", FaultKind::kCapacity},
    {"UnfulfillableCapacity", FaultKind::kCapacity},
    {"SpotMaxPriceTooLow", FaultKind::kCapacity},
    // Of a launch: the type is not offered in the zone, or the zone takes no more.
    {"Unsupported", FaultKind::kElsewhere},
    {"InstanceLimitExceeded", FaultKind::kLimit},
    {"VcpuLimitExceeded", FaultKind::kLimit},
    {"MaxSpotInstanceCountExceeded", FaultKind::kLimit},
    {"LimitExceeded", FaultKind::kLimit},
    {"LimitExceededException", FaultKind::kLimit},
    {"TooManyLoadBalancers", FaultKind::kLimit},
    {"TooManyAccessPoints", FaultKind::kLimit},
    {"TooManyTargetGroups", FaultKind::kLimit},
    {"TooManyListeners", FaultKind::kLimit},
    {"TooManyTargets", FaultKind::kLimit},
    {"TooManyCertificates", FaultKind::kLimit},
    {"TooManyRegistrationsForTargetId", FaultKind::kLimit},
    {"TooManyUniqueTargetGroupsPerLoadBalancer", FaultKind::kLimit},
    {"TargetGroupAssociationLimit", FaultKind::kLimit},
    {"InsufficientFreeAddressesInSubnet", FaultKind::kLimit},
    {"DependencyViolation", FaultKind::kInUse},
    {"DeleteConflict", FaultKind::kInUse},
    {"ResourceInUse", FaultKind::kInUse},
    {"ResourceContention", FaultKind::kInUse},
    {"ScalingActivityInProgress", FaultKind::kInUse},
    {"RepositoryNotEmptyException", FaultKind::kInUse},
    {"ConcurrentModification", FaultKind::kInUse},
    {"IncorrectInstanceState", FaultKind::kInUse},
    {"ValidationError", FaultKind::kInvalid},
    {"ValidationException", FaultKind::kInvalid},
    {"MalformedPolicyDocument", FaultKind::kInvalid},
    {"MissingParameter", FaultKind::kInvalid},
    {"UnknownParameter", FaultKind::kInvalid},
};

std::string first_of(const Json& json, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto text = json_string(json, name); !text.empty()) return text;
  return "";
}

void read_json_fault(const net::Response& response, const Json& json, Fault& fault) {
  fault.code = first_of(json, {"__type", "code"});
  if (const auto header = response.headers.find("x-amzn-errortype");
      fault.code.empty() && header != response.headers.end())
    fault.code = header->second;
  // "com.amazonaws.ecr#Code:http://..." -> "Code"
  if (const auto hash = fault.code.find('#'); hash != std::string::npos)
    fault.code.erase(0, hash + 1);
  fault.code.erase(std::min(fault.code.find(':'), fault.code.size()));
  fault.message = first_of(json, {"message", "Message"});
}

std::optional<Milliseconds> retry_after(const net::Headers& headers) {
  const auto header = headers.find("retry-after");
  if (header == headers.end()) return std::nullopt;
  unsigned seconds = 0;
  const auto& text = header->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3'600U));
}

Errc by_status(int status) {
  if (status >= 500) return Errc::kUnavailable;
  if (status == 429) return Errc::kThrottled;
  if (status == 401) return Errc::kUnauthenticated;
  if (status == 403) return Errc::kPermissionDenied;
  if (status == 404) return Errc::kNotFound;
  return status >= 400 ? Errc::kInvalidArgument : Errc::kCorrupt;
}

Errc house_code(FaultKind kind, int status) {
  switch (kind) {
    case FaultKind::kThrottled:
      return Errc::kThrottled;
    case FaultKind::kPassing:
      return Errc::kUnavailable;
    case FaultKind::kUnauthenticated:
      return Errc::kUnauthenticated;
    case FaultKind::kDenied:
      return Errc::kPermissionDenied;
    case FaultKind::kNotFound:
      return Errc::kNotFound;
    case FaultKind::kExists:
      return Errc::kAlreadyExists;
    case FaultKind::kCapacity:
    case FaultKind::kElsewhere:
    case FaultKind::kLimit:
      return Errc::kResourceExhausted;
    case FaultKind::kInUse:
      return Errc::kFailedPrecondition;
    case FaultKind::kInvalid:
      return Errc::kInvalidArgument;
    case FaultKind::kOther:
      return by_status(status);
  }
  return Errc::kInternal;
}

// "User: arn:... is not authorized to perform: X on resource: Y because ..." -> Y
std::string resource_in(const std::string& message) {
  static constexpr std::string_view kMark = "on resource: ";
  const auto at = message.find(kMark);
  if (at == std::string::npos) return "";
  const auto begin = at + kMark.size();
  return message.substr(begin, std::min(message.find(' ', begin), message.size()) - begin);
}

std::string meaning(FaultKind kind, const Fault& fault, std::string_view action) {
  const std::string said = fault.message.empty() ? "" : " (" + fault.message + ")";
  switch (kind) {
    case FaultKind::kDenied: {
      const std::string resource = resource_in(fault.message);
      return "these credentials may not " + std::string(action) + " on " +
             (resource.empty() ? "the resource" : resource) +
             ": 'hive aws policy' prints what hive needs" + said;
    }
    case FaultKind::kCapacity:
      return "AWS has no capacity for this just now" + said;
    case FaultKind::kElsewhere:
      return "AWS does not have this here, perhaps in another zone" + said;
    case FaultKind::kLimit:
      return "a limit of the AWS account is reached: ask for a higher one in Service Quotas" + said;
    case FaultKind::kInUse:
      return "it is still in use or being changed" + said;
    default:
      return fault.message.empty() ? "HTTP status " + std::to_string(fault.status) : fault.message;
  }
}

}  // namespace

Fault read_fault(const net::Response& response) {
  Fault fault;
  fault.status = response.status;
  fault.retry_after = retry_after(response.headers);
  if (const auto json = parse_json(response.body, "error"); json && json->is_object()) {
    read_json_fault(response, *json, fault);
  } else if (const auto xml = parse_xml(response.body)) {
    const Element* error = xml->at("Error");
    if (error == nullptr) error = xml->at("Errors/Error");
    if (error != nullptr) {
      fault.code = error->text_at("Code");
      fault.message = error->text_at("Message");
    }
  }
  return fault;
}

FaultKind kind_of(const Fault& fault) {
  // Auto Scaling has no code of its own for it: "AutoScalingGroup name not found - ...".
  if (fault.code == "ValidationError" && fault.message.find("not found") != std::string::npos)
    return FaultKind::kNotFound;
  const auto* row = std::find_if(std::begin(kCodes), std::end(kCodes),
                                 [&](const Row& one) { return one.code == fault.code; });
  if (row != std::end(kCodes)) return row->kind;
  const std::string_view code = fault.code;
  // EC2 names them by the thing: InvalidGroup.NotFound, InvalidInstanceID.NotFound,
  // AddressLimitExceeded, VolumeInUse, InvalidParameterValue.
  if (code.ends_with(".NotFound") || code.ends_with("NotFoundException"))
    return FaultKind::kNotFound;
  if (code.ends_with("LimitExceeded")) return FaultKind::kLimit;
  if (code.ends_with("InUse")) return FaultKind::kInUse;
  if (code.ends_with(".Duplicate")) return FaultKind::kExists;
  if (code.starts_with("Invalid")) return FaultKind::kInvalid;
  return FaultKind::kOther;
}

Error to_error(const Fault& fault, std::string_view service, std::string_view call,
               std::string_view action) {
  const FaultKind kind = kind_of(fault);
  Error error;
  error.code = house_code(kind, fault.status);
  error.message = std::string(service) + " " + std::string(call) + ": ";
  if (!fault.code.empty()) error.message += fault.code + ": ";
  error.message += meaning(kind, fault, action);
  while (error.message.ends_with('.')) error.message.pop_back();
  error.retry_after = fault.retry_after;
  if (!error.retry_after && kind == FaultKind::kCapacity) error.retry_after = kCapacityWait;
  if (!error.retry_after && kind == FaultKind::kInUse) error.retry_after = kInUseWait;
  return error;
}

}  // namespace hive::cloud::aws
