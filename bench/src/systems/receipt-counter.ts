import { Client } from 'pg';

/** Counts receipts repeatedly over one connection, because opening a new one each time would affect the measurement. */
export async function openReceiptCounter(databaseUrl: string, sql: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', ignore); // the next query rejects
  await client.connect();
  await client.query(`PREPARE receipts AS ${sql}`);
  return client;
}

/** The current number. */
export async function countWith(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>('EXECUTE receipts');
  return rows[0]?.count ?? 0;
}

function ignore(): void {}
