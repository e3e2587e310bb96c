import type { ComponentChildren } from 'preact';
import { seriesClass } from '../plot/series-class.ts';
import { type TimeAxis, timePercent } from './time-axis.ts';

interface PlotFrameProps {
  /** Says what is drawn; the numbers stand in a table nearby. */
  readonly label: string;
  readonly timeAxis: TimeAxis;
  /** Lines across, from the top, with what they stand for. */
  readonly lines: readonly { readonly percent: number; readonly text: string }[];
  readonly legend: readonly { readonly name: string; readonly colour: number }[];
  /** Shapes in a picture of 100 by 100, which is stretched to the place there is. */
  readonly children: ComponentChildren;
}

/** A picture over time: lines, moments and names around shapes. Two layers, because stretched text cannot be read. */
export function PlotFrame({ label, timeAxis: axis, lines, legend, children }: PlotFrameProps) {
  return (
    <figure class="plot">
      <div class="plot-body">
        <svg class="plot-layer" width="100%" height="100%" aria-hidden="true" focusable="false">
          {lines.map(({ percent, text }) => (
            <g key={text}>
              <line class="plot-grid" x1="0" x2="100%" y1={`${percent}%`} y2={`${percent}%`} />
              <text class="plot-text" x="-8" y={`${percent}%`} dy="0.32em" text-anchor="end">
                {text}
              </text>
            </g>
          ))}
          {axis.ticks.map(({ atMs, text }, index) => (
            <text
              key={atMs}
              class="plot-text"
              x={`${timePercent(atMs, axis)}%`}
              y="100%"
              dy="1.4em"
              text-anchor={index === 0 ? 'start' : index === axis.ticks.length - 1 ? 'end' : 'middle'}
            >
              {text}
            </text>
          ))}
        </svg>
        <svg
          class="plot-layer"
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          width="100%"
          height="100%"
          role="img"
          aria-label={label}
        >
          {children}
        </svg>
      </div>
      <figcaption class="chart-legend">
        {legend.map(({ name, colour }) => (
          <span key={name}>
            <span class={`series-mark ${seriesClass(colour)}`} aria-hidden="true" />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
