module.exports = require('../../jest.package.cjs')('inspector');
