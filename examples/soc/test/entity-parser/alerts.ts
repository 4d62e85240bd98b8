/** One ordinary alert of each source, as the product writes it. */
export const sentinelAlert = {
  TenantId: '6f1d0c7e-0000-4000-8000-000000000001',
  TimeGenerated: '2026-11-20T09:58:12.3456789Z',
  StartTime: '2026-11-20T09:55:00Z',
  DisplayName: 'Suspicious PowerShell download',
  AlertName: 'Suspicious PowerShell download',
  AlertSeverity: 'High',
  Description: 'powershell.exe fetched http://files.evil.example/a.ps1 from 198.51.100.7',
  ProviderName: 'ASI Scheduled Alerts',
  ProductName: 'Azure Sentinel',
  SystemAlertId: 'a3f2b1c0-1111-4222-8333-444455556666',
  Tactics: 'Execution, CommandAndControl',
  Techniques: '["T1059","T1105"]',
  Entities: JSON.stringify([
    { $id: '2', HostName: 'WS-042', DnsDomain: 'acme.example', Type: 'host' },
    { $id: '3', Name: 'j.doe', UPNSuffix: 'acme.example', Host: { $ref: '2' }, Type: 'account' },
    { $id: '4', Address: '198.51.100.7', Type: 'ip' },
    { $id: '5', Directory: 'C:\\Temp', Name: 'a.ps1', FileHashes: [{ $ref: '6' }], Type: 'file' },
    { $id: '6', Algorithm: 'SHA256', Value: 'AB'.repeat(32), Type: 'filehash' },
    { $id: '7', ProcessId: '0x4d2', ImageFile: { $ref: '5' }, Type: 'process' },
  ]),
};

export const elasticAlert = {
  '@timestamp': '2026-11-20T09:59:01.123Z',
  'kibana.alert.uuid': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b',
  'kibana.alert.severity': 'critical',
  'kibana.alert.reason': 'process event with process mimikatz.exe by adm-ops on dc01',
  kibana: {
    alert: {
      rule: {
        name: 'Credential dumping',
        description: 'A tool read the memory of LSASS',
        threat: [
          {
            framework: 'MITRE ATT&CK',
            tactic: { id: 'TA0006', name: 'Credential Access' },
            technique: [{ id: 'T1003', name: 'OS Credential Dumping', subtechnique: [{ id: 'T1003.001' }] }],
          },
        ],
      },
    },
  },
  'host.name': 'dc01',
  host: { ip: ['10.0.0.5', '2001:db8::5'] },
  user: { name: 'adm-ops' },
  process: { command_line: 'mimikatz.exe sekurlsa::logonpasswords', hash: { sha256: 'c'.repeat(64) } },
};

export const suricataAlert = {
  timestamp: '2026-11-20T10:00:00.000123+0100',
  flow_id: 1_234_567_890,
  event_type: 'alert',
  src_ip: '10.1.2.3',
  src_port: 50_123,
  dest_ip: '203.0.113.9',
  dest_port: 443,
  proto: 'TCP',
  alert: {
    action: 'allowed',
    gid: 1,
    signature_id: 2_027_758,
    rev: 3,
    signature: 'ET MALWARE Observed C2 domain',
    category: 'A Network Trojan was detected',
    severity: 1,
    metadata: { mitre_technique_id: ['T1071'], mitre_tactic_id: ['TA0011'] },
  },
  tls: { sni: 'c2.evil.example' },
};

export const wazuhAlert = {
  timestamp: '2026-11-20T09:57:00.000+0000',
  rule: {
    id: '5712',
    level: 10,
    description: 'sshd: brute force trying to get access to the system',
    groups: ['syslog', 'sshd'],
    mitre: { id: ['T1110'], tactic: ['Credential Access'], technique: ['Brute Force'] },
  },
  agent: { id: '003', name: 'web-1', ip: '10.2.0.4' },
  manager: { name: 'wazuh-manager' },
  id: '1763632620.49031',
  full_log: 'Nov 20 09:57:00 web-1 sshd[811]: Failed password for root from 192.0.2.44 port 41000 ssh2',
  decoder: { name: 'sshd' },
  data: { srcip: '192.0.2.44', dstuser: 'root' },
  location: '/var/log/auth.log',
};

export const alertOf = {
  sentinel: sentinelAlert,
  elastic: elasticAlert,
  suricata: suricataAlert,
  wazuh: wazuhAlert,
};
