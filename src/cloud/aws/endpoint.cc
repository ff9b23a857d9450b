#include "cloud/aws/endpoint.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "cloud/aws/shared_config.h"

namespace hive::cloud::aws {
namespace {

constexpr ServiceInfo kServices[] = {
    {Service::kEc2, "ec2", "ec2", "ec2", "EC2", "2016-11-15", "", Protocol::kEc2},
    {Service::kAutoScaling, "autoscaling", "autoscaling", "autoscaling", "AUTO_SCALING",
     "2011-01-01", "", Protocol::kQuery},
    {Service::kElb, "elb", "elasticloadbalancing", "elasticloadbalancing", "ELASTIC_LOAD_BALANCING",
     "2012-06-01", "", Protocol::kQuery},
    {Service::kElbV2, "elbv2", "elasticloadbalancing", "elasticloadbalancing",
     "ELASTIC_LOAD_BALANCING_V2", "2015-12-01", "", Protocol::kQuery},
    {Service::kIam, "iam", "iam", "iam", "IAM", "2010-05-08", "", Protocol::kQuery, true},
    {Service::kSts, "sts", "sts", "sts", "STS", "2011-06-15", "", Protocol::kQuery},
    {Service::kCloudWatch, "cloudwatch", "monitoring", "monitoring", "CLOUDWATCH", "2010-08-01", "",
     Protocol::kQuery},
    {Service::kEcr, "ecr", "api.ecr", "ecr", "ECR", "", "AmazonEC2ContainerRegistry_V20150921",
     Protocol::kJson},
    {Service::kSsm, "ssm", "ssm", "ssm", "SSM", "", "AmazonSSM", Protocol::kJson},
};

struct Partition {
  std::string_view region_prefix;
  std::string_view suffix;
  std::string_view global_host;    // of IAM
  std::string_view global_region;  // that it is signed for
};
// The last one is the ordinary one.
constexpr Partition kPartitions[] = {
    {"cn-", "amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"us-gov-", "amazonaws.com", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"", "amazonaws.com", "iam.amazonaws.com", "us-east-1"},
};

const Partition& partition_of(const std::string& region) {
  return *std::find_if(std::begin(kPartitions), std::end(kPartitions),
                       [&](const Partition& one) { return region.starts_with(one.region_prefix); });
}

bool is_region(const std::string& text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Of the profile: its services section's word on this service, else its endpoint_url.
Result<std::string> override_in_files(const ServiceInfo& info, const Environment& environment,
                                      const std::string& profile) {
  const auto section = read_profile(environment, profile_in_force(environment, profile));
  if (!section) {
    if (section.error().code == Errc::kNotFound) return std::string();
    return tl::unexpected(section.error());
  }
  if (const auto services = section->find("services"); services != section->end()) {
    HIVE_ASSIGN(const auto named, read_services(environment, services->second));
    const auto url = named.find(lower(info.variable) + ".endpoint_url");
    if (url != named.end()) return url->second;
  }
  const auto url = section->find("endpoint_url");
  return url == section->end() ? std::string() : url->second;
}

Result<std::string> override_of(const ServiceInfo& info, const Environment& environment,
                                const std::string& profile) {
  if (lower(variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) == "true")
    return std::string();
  for (const std::string& name :
       {"AWS_ENDPOINT_URL_" + std::string(info.variable), std::string("AWS_ENDPOINT_URL")})
    if (auto url = variable(environment, name); !url.empty()) return url;
  return override_in_files(info, environment, profile);
}

// What an HTTP client sends as Host.
Result<std::string> host_of(const std::string& url) {
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://"))
    return fail(Errc::kInvalidArgument,
                "the endpoint '" + url + "' does not begin with http:// or https://");
  std::string host = url.substr(tls ? 8 : 7);
  if (host.empty() || host.find_first_of("/?#@ ") != std::string::npos)
    return fail(Errc::kInvalidArgument,
                "the endpoint '" + url + "' is not scheme://host or scheme://host:port");
  const std::string_view own_port = tls ? ":443" : ":80";
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());
  return host;
}

}  // namespace

const ServiceInfo& info_of(Service service) {
  return *std::find_if(std::begin(kServices), std::end(kServices),
                       [&](const ServiceInfo& one) { return one.service == service; });
}

Result<Endpoint> endpoint_of(Service service, const std::string& region,
                             const Environment& environment, const std::string& profile) {
  const ServiceInfo& info = info_of(service);
  if (!is_region(region))
    return fail(Errc::kInvalidArgument,
                region.empty() ? "no AWS region is named: set x-hive.aws.region or AWS_REGION"
                               : "'" + region + "' is not an AWS region");
  const Partition& partition = partition_of(region);
  Endpoint out;
  out.signing_region = info.global ? std::string(partition.global_region) : region;
  HIVE_ASSIGN(out.base_url, override_of(info, environment, profile));
  while (out.base_url.ends_with('/')) out.base_url.pop_back();
  if (out.base_url.empty())
    out.base_url = "https://" + (info.global ? std::string(partition.global_host)
                                             : std::string(info.prefix) + "." + region + "." +
                                                   std::string(partition.suffix));
  HIVE_ASSIGN(out.host, host_of(out.base_url));
  return out;
}

}  // namespace hive::cloud::aws
