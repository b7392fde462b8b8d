// Icons, 20 units wide, drawn in the colour of the text beside them.
const paths: Record<string, string> = {
  in: 'M15 5 5 15M5 8v7h7',
  out: 'M5 15 15 5M8 5h7v7',
  internal: 'M3 7h12l-3-3M17 13H5l3 3',
  play: 'M6 4v12l10-6z',
  pause: 'M6 4v12M14 4v12',
  back: 'M4 4v5h5M4.5 9a6.5 6.5 0 1 1-1 4',
  ahead: 'M16 4v5h-5M15.5 9a6.5 6.5 0 1 0 1 4',
  download: 'M10 3v10M6 9l4 4 4-4M4 17h12',
  close: 'M5 5l10 10M15 5 5 15',
  filter: 'M3 5h14M6 10h8M8.5 15h3',
  search: 'M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.5 13.5 17 17',
  calls: 'M4 5h12M4 10h12M4 15h8',
  figures: 'M4 17V9M10 17V3M16 17v-6',
  missed: 'M16 4 4 16M4 9v7h7M12 4h4v4',
  now: 'M2 10h4l2-6 4 12 2-6h4',
  health: 'M10 17s-7-4.3-7-9a3.8 3.8 0 0 1 7-2 3.8 3.8 0 0 1 7 2c0 4.7-7 9-7 9z',
  rec: 'M4 8v4M8 5v10M12 7v6M16 9v2',
  leave: 'M12 4H5v12h7M9 10h9M15 7l3 3-3 3',
  up: 'M5 12l5-5 5 5',
  down: 'M5 8l5 5 5-5',
  warn: 'M10 3 2 17h16zM10 8v4M10 14.5v.1',
  ok: 'M4 10.5 8 15l8-10',
  about: 'M4 12c2-4 4-4 6-2s4 2 6-2',
}

export const Icon = ({ name, fill }: { name: string; fill?: boolean }) => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" fill={fill ? 'currentColor' : 'none'} stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">
    <path d={paths[name]} />
  </svg>
)
