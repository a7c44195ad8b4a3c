/* The lines of a map as they travel: an outline in steps, a ring as its centre and radius (webmap/maps/elements.py). */
"use strict";

const mapLines = (() => {
  /** Put lines of [lat, lon] together from their steps, of which a degree has `stepsADegree`. */
  const trace = (lines, stepsADegree) => lines.map((line) => {
    let y = 0, x = 0;
    return line.map(([up, right]) => [(y += up) / stepsADegree, (x += right) / stepsADegree]);
  });

  const RAD = Math.PI / 180, A = 6378137, F = 1 / 298.257223563, B = A * (1 - F);  // WGS84
  const PASSES = 4;  // each adds three digits: the last is far below a millimetre

  /** The points at `metres` from (lat, lon) on the ellipsoid, in so many `vertices` and closed: Vincenty's direct
   * formula (Survey Review 176, 1975). It starts at the vertex nearest the pole, as `geodesy.ring` does, and draws only:
   * what lies within is decided by the library. */
  function ring(lat, lon, metres, vertices) {
    const tanU = (1 - F) * Math.tan(lat * RAD), cosU = 1 / Math.hypot(1, tanU), sinU = tanU * cosU, start = lat < 0 ? Math.PI : 0;
    const points = Array.from({length: vertices}, (_, at) => {
      const azimuth = start + 2 * Math.PI * at / vertices, sinA1 = Math.sin(azimuth), cosA1 = Math.cos(azimuth);
      const sigma1 = Math.atan2(tanU, cosA1), sinA = cosU * sinA1, cos2A = 1 - sinA ** 2, u = cos2A * (A ** 2 - B ** 2) / B ** 2;
      const a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u))), b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)));
      let sigma = metres / (B * a), sin, cos, middle;
      for (let pass = 0; pass < PASSES; pass++) {
        sin = Math.sin(sigma); cos = Math.cos(sigma); middle = Math.cos(2 * sigma1 + sigma);
        sigma = metres / (B * a) + b * sin * (middle + b / 4 * (cos * (2 * middle ** 2 - 1) - b / 6 * middle * (4 * sin ** 2 - 3) * (4 * middle ** 2 - 3)));
      }
      sin = Math.sin(sigma); cos = Math.cos(sigma); middle = Math.cos(2 * sigma1 + sigma);
      const north = Math.atan2(sinU * cos + cosU * sin * cosA1, (1 - F) * Math.hypot(sinA, sinU * sin - cosU * cos * cosA1));
      const onSphere = Math.atan2(sin * sinA1, cosU * cos - sinU * sin * cosA1), c = F / 16 * cos2A * (4 + F * (4 - 3 * cos2A));
      const east = onSphere - (1 - c) * F * sinA * (sigma + c * sin * (middle + c * cos * (2 * middle ** 2 - 1)));
      return [north / RAD, lon + east / RAD];
    });
    return [...points, points[0]];
  }

  return {trace, ring};
})();
