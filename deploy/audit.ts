/**
 * Asks the registry for known vulnerabilities of what is shipped. Exit codes: 0 none, 1 some, 2 the registry could not be
 * asked: mirrors often lack the endpoint, and "not asked" must never look like "nothing found".
 */
import { spawnSync } from 'node:child_process';

interface AuditReport {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

const TIMEOUT_MS = 60_000;

const audit = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: TIMEOUT_MS });
const report = parsed(audit.stdout);
const counts = report.metadata?.vulnerabilities;

if (counts === undefined) {
  const reason =
    [report.error?.summary, report.message, audit.error?.message, 'no answer'].find(Boolean) ?? '';
  process.stderr.write(`not audited: the registry could not be asked (${reason.split('\n', 1)[0]})\n`);
  process.exitCode = 2;
} else {
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities ?? {})) {
    process.stdout.write(`${severity}  ${name} ${range}\n`);
  }
  const total = counts['total'] ?? 0;
  process.stdout.write(`${total} known vulnerabilities in what is shipped\n`);
  process.exitCode = total === 0 ? 0 : 1;
}

function parsed(text: string | null): AuditReport {
  try {
    return JSON.parse(text ?? '') as AuditReport;
  } catch {
    return {};
  }
}
