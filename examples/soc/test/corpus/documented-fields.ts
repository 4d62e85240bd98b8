/**
 * Names of fields that the vendors document, as far as the corpus or the readers use them. Lists have no part of a path. Where each name
 * is documented stands in `src/corpus/README.md`.
 */

/** Columns of the table SecurityAlert. */
export const sentinelColumns = words(`
  TenantId TimeGenerated StartTime EndTime DisplayName AlertName AlertSeverity Description ProviderName VendorName ProductName
  SystemAlertId Status Tactics Techniques SubTechniques Entities`);

/** Members of each type of entity in the column Entities, besides `$id`, `$ref` and `Type`. */
export const sentinelEntityMembers: Readonly<Record<string, readonly string[]>> = {
  account: words(
    'Name NTDomain DnsDomain UPNSuffix Host Sid AadTenantId AadUserId PUID IsDomainJoined ObjectGuid',
  ),
  host: words(
    'IpInterfaces DnsDomain NTDomain HostName NetBiosName AzureID OMSAgentID OSFamily OSVersion IsDomainJoined',
  ),
  ip: words('Address AddressScope Location'),
  file: words('Directory Name AlternateDataStreamName Host SizeInBytes FileHashes'),
  filehash: words('Algorithm Value'),
  process: words(
    'ProcessId CommandLine ElevationToken CreationTimeUtc ImageFile Account ParentProcess Host LogonSession',
  ),
  url: words('Url'),
  dns: words('DomainName IpAddress DnsServerIp HostIpAddress'),
  mailbox: words('MailboxPrimaryAddress DisplayName Upn RiskLevel ExternalDirectoryObjectId'),
  'registry-key': words('Hive Key'),
  'azure-resource': words('ResourceId SubscriptionId ResourceType ResourceName'),
  'cloud-application': words('AppId SaasId Name InstanceName InstanceId Risk'),
};

/** Elastic Common Schema, and the alert fields of Kibana. */
export const elasticNames = words(`
  @timestamp event.kind source.ip destination.ip destination.domain host.ip host.name user.name user.target.name user.email
  email.from.address email.to.address file.path file.name file.hash.md5 file.hash.sha1 file.hash.sha256 process.hash.sha256
  process.command_line process.executable url.full url.domain dns.question.name registry.path cloud.instance.id user_agent.original
  kibana.alert.uuid kibana.alert.severity kibana.alert.reason kibana.alert.status kibana.alert.workflow_status
  kibana.alert.rule.uuid kibana.alert.rule.name kibana.alert.rule.description
  kibana.alert.rule.threat.framework
  kibana.alert.rule.threat.tactic.id kibana.alert.rule.threat.tactic.name kibana.alert.rule.threat.tactic.reference
  kibana.alert.rule.threat.technique.id kibana.alert.rule.threat.technique.name kibana.alert.rule.threat.technique.reference
  kibana.alert.rule.threat.technique.subtechnique.id kibana.alert.rule.threat.technique.subtechnique.name
  kibana.alert.rule.threat.technique.subtechnique.reference`);

/** Events of the type `alert` in EVE JSON. Metadata of rules is free; the names of ATT&CK are those of the Emerging Threats rules. */
export const suricataNames = words(`
  timestamp flow_id in_iface event_type src_ip src_port dest_ip dest_port proto
  alert.action alert.gid alert.signature_id alert.rev alert.signature alert.category alert.severity
  alert.metadata.mitre_technique_id alert.metadata.mitre_tactic_id
  http.hostname http.url http.http_method http.http_user_agent http.status tls.sni tls.version
  dns.version dns.type dns.queries.rrname dns.queries.rrtype dns.query.rrname
  files.filename files.md5 files.sha1 files.sha256 files.size files.state files.stored`);

/** alerts.json of Wazuh 4. Members of `data` are what a decoder found; these are those of the decoders that the readers know. */
export const wazuhNames = words(`
  timestamp id full_log location agent.id agent.name agent.ip manager.name decoder.name predecoder.hostname
  rule.id rule.level rule.description rule.firedtimes rule.mail rule.groups rule.mitre.id rule.mitre.tactic rule.mitre.technique
  data.srcip data.dstip data.srcuser data.dstuser data.url
  data.win.eventdata.image data.win.eventdata.commandLine data.win.eventdata.targetUserName data.win.eventdata.ipAddress
  syscheck.path syscheck.event syscheck.md5_after syscheck.sha1_after syscheck.sha256_after`);

/** Findings. `target` and `time` of garak, and the whole form of the Adversarial Robustness Toolbox, are the connector's own. */
export const findingNames = {
  wiz: words(`
    id createdAt status severity type sourceRule.__typename sourceRule.id sourceRule.name
    entitySnapshot.id entitySnapshot.type entitySnapshot.name entitySnapshot.cloudPlatform`),
  snyk: words(`
    id type attributes.title attributes.key attributes.type attributes.status attributes.ignored attributes.effective_severity_level
    attributes.created_at attributes.problems.id attributes.problems.source attributes.risk.score.model attributes.risk.score.value
    relationships.scan_item.data.id relationships.scan_item.data.type`),
  garak: words('entry_type probe detector passed fails nones total_evaluated total_processed target time'),
  art: words('attack estimator clean_accuracy adversarial_accuracy eps norm evaluated_at'),
} as const;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
