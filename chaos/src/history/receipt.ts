/** A receipt frame as it came. */
export interface Receipt {
  id: string;
  user: string;
  status: 'delivered' | 'read';
  at: string;
}
