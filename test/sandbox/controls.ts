/** The sandbox's catalogue of Secure Score controls: names as Microsoft uses them, words of our own. */
export type Control = {
  id: string;
  title: string;
  category: string;
  service: string;
  max: number;
  /** 1 = most important. */
  rank: number;
  cost: string;
  impact: string;
  tier: string;
  threats: string[];
  how: string;
  /** What a tenant must have bought for the control to be scored. */
  needs: 'nothing' | 'p1' | 'p2' | 'defender' | 'e5';
};

const threatNames: Record<string, string> = {
  A: 'Account Breach',
  D: 'Data Exfiltration',
  E: 'Elevation of Privilege',
  I: 'Malicious Insider',
  L: 'Data Deletion',
  P: 'Password Cracking',
  S: 'Data Spillage',
  W: 'Phishing/Whaling',
};
const levels: Record<string, string> = { l: 'Low', m: 'Moderate', h: 'High' };
const tiers: Record<string, string> = { c: 'Core', d: 'Defense in Depth', a: 'Advanced' };

/** `## category service needs`, then `id | points | cost, impact, tier | threats | title | what to do`. */
const catalogue = `
## Identity AzureAD nothing
AdminMFAV2 | 10 | llc | PAE | Require multifactor authentication for administrative roles | Create a Conditional Access policy for all directory roles that asks for multifactor authentication.
MFARegistrationV2 | 9 | mmc | PA | Ensure multifactor authentication is enabled for all users | Ask every member to register and require a second factor at sign-in.
BlockLegacyAuthentication | 8 | mmc | PA | Enable Conditional Access policies to block legacy authentication | Block clients that cannot ask for a second factor.
OneAdmin | 1 | llc | AE | Designate more than one global administrator | Give a second, separate account the role so that nobody is locked out.
PWAgePolicyNew | 8 | mmc | PA | Ensure the password expiration policy is set to never expire | Long-lived strong passwords beat forced changes; turn expiry off.
SelfServicePasswordReset | 1 | mmd | A | Ensure self-service password reset is enabled | Let people reset passwords after proving who they are.
RoleOverlap | 1 | lld | EI | Use least privileged administrative roles | Replace global administrators by roles that fit the task.
IntegratedApps | 4 | lmc | DS | Do not allow users to grant consent to unreliable applications | Allow consent for verified publishers only, or ask administrators.
aad_admin_accounts_separate_unassigned_cloud_only | 3 | mlc | AE | Ensure administrative accounts are separate and cloud-only | Create unlicensed cloud accounts for administration.
aad_limited_administrative_roles | 3 | lld | AE | Ensure fewer than five global administrators are designated | Move daily tasks to narrower roles.
aad_password_protection | 5 | lld | PA | Ensure password protection is enabled for on-premises directories | Install the agent and enforce the banned list.
aad_custom_banned_passwords | 5 | lld | PA | Ensure custom banned passwords lists are used | Add names of the company and its products.
aad_linkedin_connection_disables | 1 | lld | S | Ensure LinkedIn account connections are disabled | Turn the connection off in the user settings.
aad_third_party_apps | 2 | lmd | DS | Ensure third-party integrated applications are not allowed | Only administrators register applications.
aad_sign_in_freq_session_timeout | 2 | lmd | AE | Ensure sign-in frequency is enabled and sessions of administrators do not persist | Ask administrators to sign in again every few hours.
## Identity AzureAD p1
aad_phishing_MFA_strength | 4 | mmd | WAE | Ensure phishing-resistant strength is required for administrators | Require passkeys or certificates for privileged roles.
aad_managed_devices | 4 | hhd | AD | Ensure a managed device is required for sign-in | Require compliant or joined devices for all resources.
aad_device_code_flow | 3 | lld | WA | Ensure the device code sign-in flow is blocked | Block the flow except for the rooms that need it.
aad_admin_portal_access | 2 | llc | AE | Ensure access to the administration portals is limited to administrators | Block the portals for everyone without a role.
aad_weak_auth_methods | 3 | mmd | PA | Ensure weak authentication methods are turned off | Retire text message, voice and mail codes.
## Identity AzureAD p2
SigninRiskPolicy | 7 | mmc | PA | Enable Microsoft Entra ID Identity Protection sign-in risk policies | Ask for a second factor when a sign-in looks risky.
UserRiskPolicy | 7 | mmc | PA | Enable Microsoft Entra ID Identity Protection user risk policies | Ask for a password change when an account looks taken over.
aad_access_reviews_guests | 3 | mld | SI | Ensure access reviews for guest users are configured | Review guests every month and remove who is not confirmed.
aad_access_reviews_roles | 3 | mld | EI | Ensure access reviews for privileged roles are configured | Review holders of privileged roles every month.
aad_pim_used | 4 | mmd | EI | Ensure Privileged Identity Management is used to manage roles | Make roles eligible and activate them when needed.
## Identity AATP e5
AATP_DefenderForIdentityIsNotInstalled | 5 | mld | AE | Install the Defender for Identity sensor on all domain controllers | Deploy the sensor and check that it reports.
AATP_UnsecureAccountAttributes | 5 | mmd | PA | Resolve unsecure account attributes | Remove reversible encryption and missing pre-authentication.
AATP_DormantAccounts | 5 | lld | AI | Remove dormant accounts from sensitive groups | Disable accounts not used for 180 days.
AATP_ClearText | 5 | mmd | PA | Stop clear-text credential exposure | Replace simple binds by encrypted ones.
AATP_LateralMovementPaths | 5 | mmd | E | Reduce lateral movement path risk to sensitive entities | Keep sensitive accounts off ordinary machines.
AATP_WeakCipher | 5 | hmd | P | Stop weak cipher usage | Turn RC4 off for Kerberos.
AATP_LAPS | 5 | mld | AE | Protect and manage local administrator passwords with LAPS | Roll LAPS out to every device.
AATP_PrintSpooler | 5 | lld | E | Disable the print spooler service on domain controllers | Stop the service by policy.
## Apps EXO nothing
mip_search_auditlog | 3 | llc | DI | Ensure the audit log search is enabled | Turn auditing on for the organisation.
exo_mailboxaudit | 3 | llc | DI | Ensure mailbox auditing for all users is enabled | Leave auditing on by default and remove bypasses.
exo_individualsharing | 2 | lmd | S | Ensure calendar details are not shared with external users | Restrict the sharing policy to free and busy.
exo_storageproviderrestricted | 2 | lmd | DS | Ensure additional storage providers are restricted in Outlook on the web | Turn other cloud storage off in the mailbox policy.
exo_outlookaddins | 3 | lmd | DS | Ensure users cannot install Outlook add-ins by themselves | Remove the roles from the default role assignment.
exo_oauth2clientprofileenabled | 2 | llc | PA | Ensure modern authentication for Exchange Online is enabled | Turn modern authentication on for the organisation.
exo_transportrulesallowlistdomains | 4 | lld | W | Ensure mail transport rules do not allow-list domains | Remove rules that skip filtering for whole domains.
exo_blockmailforward | 6 | lmc | D | Ensure all forms of mail forwarding are blocked | Block automatic forwarding in the outbound policy.
exo_mailtips | 1 | lld | S | Ensure MailTips are enabled for end users | Turn external-recipient tips on.
exo_externaltagging | 2 | lld | W | Ensure email from external senders is identified | Turn the External tag on.
exo_smtpauth | 4 | mmc | PA | Ensure SMTP AUTH is disabled | Turn it off for the organisation; allow the few mailboxes that print.
## Apps EXO nothing
mdo_spf | 4 | llc | W | Ensure SPF records are published for all domains | Publish a record ending in -all for each domain.
mdo_dkim | 4 | llc | W | Ensure DKIM is enabled for all domains | Publish both selectors and turn signing on.
mdo_dmarc | 5 | mld | W | Ensure DMARC records are published for all domains | Publish quarantine or reject after watching reports.
## Apps MDO defender
mdo_safelinksforofficeapps | 4 | mlc | W | Create Safe Links policies for Office applications | Create a policy for all domains with click protection.
mdo_safelinksforemail | 9 | mlc | W | Create Safe Links policies for email messages | Rewrite links and scan them at the time of click.
mdo_safeattachments | 8 | mlc | W | Turn on Safe Attachments in block mode | Detonate attachments before delivery.
mdo_safeattachmentpolicy | 5 | mld | W | Ensure Safe Attachments for SharePoint, OneDrive and Teams is on | Turn the global setting on.
mdo_safedocuments | 3 | lld | W | Turn on Safe Documents for Office clients | Scan documents before they leave Protected View.
mdo_phisspamacation | 5 | llc | W | Set the action to take on phishing detection | Quarantine messages detected as phishing.
mdo_phishthresholdlevel | 8 | lld | W | Set the phishing email level threshold at 2 or higher | Raise the threshold to aggressive.
mdo_enablemailboxintelligence | 8 | lld | W | Enable impersonation protection by mailbox intelligence | Turn intelligence and its action on.
mdo_targeteduserprotection | 8 | mld | W | Enable impersonated user protection | List the people most likely to be imitated.
mdo_targeteddomainprotection | 8 | mld | W | Enable impersonated domain protection | Protect your own and your partners' domains.
mdo_antiphishingpolicies | 5 | llc | W | Ensure an anti-phishing policy has been created | Create one policy that covers every domain.
mdo_bulkspamaction | 3 | lld | W | Set the action to take on bulk spam detection | Move bulk mail to Junk.
mdo_highconfidencespamaction | 5 | lld | W | Set the action to take on high confidence spam detection | Quarantine high confidence spam.
mdo_zapphish | 6 | llc | W | Create zero-hour auto purge policies for phishing messages | Turn purge for phishing on.
mdo_zapmalware | 6 | llc | W | Create zero-hour auto purge policies for malware | Turn purge for malware on.
mdo_commonattachmentsfilter | 5 | llc | W | Ensure the common attachment types filter is enabled | Block executable attachment types.
mdo_recipientlimits | 3 | lld | D | Limit outbound mail per user | Restrict accounts that send too much and tell an administrator.
## Apps SPO nothing
spo_idle_session_timeout | 1 | lmd | D | Sign out inactive users in SharePoint Online | Sign people out on unmanaged devices after an hour.
spo_external_user_expiration | 3 | lld | S | Ensure guest access to sites and OneDrive expires | End guest access after 30 days unless renewed.
spo_legacy_auth | 4 | llc | PA | Ensure modern authentication for SharePoint applications is required | Refuse applications that do not use it.
spo_external_sharing_managed | 3 | mmd | S | Ensure external sharing is managed through domain lists | Allow the partners you work with.
spo_block_onedrive_sync_unmanaged_devices | 2 | mmd | DS | Block OneDrive synchronisation from unmanaged devices | Allow only devices joined to your domains.
## Apps Teams nothing
mst_external_access | 3 | lmd | W | Restrict external domains in the Teams administration centre | Allow the domains you work with.
mst_guest_meeting_lobby | 2 | lld | S | Only invited users should be automatically admitted to meetings | Everyone else waits in the lobby.
mst_anonymous_start | 2 | lld | S | Restrict anonymous users from starting meetings | Turn the setting off for all policies.
mst_presenters | 1 | lld | S | Configure which users may present in meetings | Organisers choose who presents.
mst_dial_in_bypass | 1 | lld | S | Restrict dial-in users from bypassing the lobby | Turn the bypass off.
mst_limited_control | 1 | lld | A | Limit external participants from having control in meetings | Do not give control to external people.
## Data MIP e5
mip_DLP_policies_enabled | 5 | mmc | DS | Ensure data loss prevention policies are enabled | Start with the templates for your country.
mip_sensitivitylabelspolicies | 5 | hmd | DS | Publish sensitivity label policies | Publish a small set of labels to everyone.
mip_autosensitivitylabelspolicies | 5 | hmd | DS | Ensure auto-labelling policies are set up | Label what patterns can recognise.
mip_purviewlabelconsent | 2 | lld | DS | Extend sensitivity labelling to assets in the data map | Give consent in the compliance portal.
mip_dlp_teams | 4 | mmd | DS | Ensure data loss prevention covers Teams chats | Add the Teams location to a policy.
mip_customer_lockbox | 1 | lld | DI | Ensure the customer lockbox feature is enabled | Turn approvals on for support access.
## Apps MCAS e5
McasFirewallLogUpload | 3 | mld | DI | Deploy a log collector to discover shadow IT | Send firewall logs to the service.
McasActivityPolicies | 5 | mld | DI | Create a custom activity policy to discover suspicious use | Alert on mass downloads and impossible travel.
McasOauthAppPolicies | 4 | mld | DS | Create an app discovery policy for new cloud applications | Be told when a new application is used by many.
McasAppConnectorOffice | 3 | lld | D | Connect Office 365 to cloud app security | Connect it and keep activities and files on.
## Device MDATP defender
scid_2010 | 9 | llc | AD | Turn on Microsoft Defender Antivirus | Make sure no other product has switched it off.
scid_2011 | 9 | llc | AD | Update antivirus definitions | Let devices fetch definitions at least daily.
scid_2012 | 9 | llc | AD | Turn on real-time protection | Turn it on by policy so that users cannot change it.
scid_2013 | 8 | lld | AD | Turn on potentially unwanted application protection in block mode | Start in audit, then block.
scid_2016 | 8 | lld | AD | Enable cloud-delivered protection | Set cloud protection to high.
scid_2003 | 9 | lmc | AE | Turn on Tamper Protection | Turn it on for the whole organisation.
scid_2001 | 9 | mld | A | Fix the Defender for Endpoint sensor data collection | Repair devices that have stopped to report.
scid_2500 | 9 | mmd | E | Block executable content from email client and webmail | Turn the attack surface rule on.
scid_2501 | 9 | mmd | E | Block all Office applications from creating child processes | Turn the attack surface rule on after audit.
scid_2503 | 9 | mmd | E | Block Office applications from injecting code into other processes | Turn the attack surface rule on after audit.
scid_2509 | 9 | mmd | PA | Block credential stealing from the Windows local security authority | Turn the attack surface rule on.
scid_2511 | 9 | mmd | E | Block process creations from PSExec and WMI commands | Turn the attack surface rule on where management allows it.
scid_2090 | 8 | mmd | D | Encrypt all BitLocker-supported drives | Require encryption and keep recovery keys in the directory.
scid_2070 | 8 | lmd | AD | Turn on Windows Defender Firewall for all profiles | Turn it on by policy for domain, private and public.
scid_96 | 8 | mhd | A | Enable network protection in block mode | Start in audit, then block.
scid_5090 | 8 | mmd | A | Update operating systems that are out of support | Replace or upgrade what gets no fixes.
`;

export const controls: readonly Control[] = parse(catalogue);

function parse(text: string): Control[] {
  const found: Control[] = [];
  let [category, service, needs] = ['', '', ''];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) {
      [category = '', service = '', needs = ''] = line.slice(3).split(' ');
      continue;
    }
    const [id, points, marks, threats, title, how] = line.split(' | ');
    if (id === undefined || how === undefined) continue;
    found.push({
      id,
      title: title ?? '',
      category,
      service,
      max: Number(points),
      rank: found.length + 1,
      cost: levels[marks?.[0] ?? ''] ?? '',
      impact: levels[marks?.[1] ?? ''] ?? '',
      tier: tiers[marks?.[2] ?? ''] ?? '',
      threats: [...(threats ?? '')].map((letter) => threatNames[letter] ?? letter),
      how,
      needs: needs as Control['needs'],
    });
  }
  return found;
}
