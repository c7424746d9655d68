import { Client } from 'pg';

/** Counts receipts again and again, over one connection: a new one each time would be measured, too. */
export async function openReceiptCounter(databaseUrl: string, sql: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', ignore); // the next question is rejected
  await client.connect();
  await client.query(`PREPARE receipts AS ${sql}`);
  return client;
}

/** How many there are now. */
export async function countWith(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>('EXECUTE receipts');
  return rows[0]?.count ?? 0;
}

function ignore(): void {}
