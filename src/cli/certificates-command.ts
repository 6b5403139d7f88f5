/** `certificates`: makes an authority of one's own, and certificates of it. */
import type { Command } from 'commander';
import type { CertificatesFlags } from './certificates.ts';

/** Adds the command. */
export function registerCertificates(program: Command): void {
  program
    .command('certificates')
    .description('make certificates for members and clients, and the CA that they are of')
    .argument('<folder>', 'where they are kept, and the CA with its key')
    .argument('<name[=host,…]...>', 'whom to make one for, and the hosts that it is good for')
    .option('--days <count>', 'how long they are good', '365')
    .option('--replace', 'make certificates anew that are there already')
    .addHelpText(
      'after',
      `
Makes FOLDER/ca.pem and ca.key unless they are there, and for each name FOLDER/NAME/cert.pem and
key.pem, with a copy of ca.pem beside them. Without "=" a name is its own host; with nothing behind
"=" there is none, as for a client. Keep ca.key away from the members: it makes more of them.

Example:
  holdfast certificates tls n1=n1,127.0.0.1 n2=n2,127.0.0.1 n3=n3,127.0.0.1 client=`,
    )
    .action(async (folder: string, names: readonly string[], flags: CertificatesFlags) => {
      const { makeCertificates } = await import('./certificates.ts');
      await makeCertificates(folder, names, flags);
    });
}
